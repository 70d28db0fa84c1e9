//! Whatever is given, nothing panics, and what is written is read.

use crosspipe_core::incident::message::{Denial, PolicyKind, claim, denial};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let _ = claim(&text);
    }

    #[test]
    fn arbitrary_messages_do_not_panic(words in proptest::collection::vec(prop_oneof![
        Just("User: "), Just("is not authorized to perform"), Just(": "), Just("kms:Decrypt"), Just(" on resource: "),
        Just("\""), Just("'"), Just(" because no "), Just(" with an explicit deny in a"), Just("n "), Just("permissions boundary"),
        Just("é"), Just("\u{130}"), Just("Key 'arn:"), Just("does not exist"), Just("perform AssumeRole on role"), Just(" "), Just("\n"),
        Just("permissions to access"), Just("The provided role does not have"),
    ], 0..24)) {
        let _ = claim(&words.concat());
    }

    #[test]
    fn what_is_written_is_read(
        account in "[0-9]{12}", name in "[A-Za-z0-9+=,.@_-]{1,20}[A-Za-z0-9]", action in "[A-Z][A-Za-z]{1,20}", key in "[A-Za-z0-9]([A-Za-z0-9/_.-]{0,30}[A-Za-z0-9])?",
        quoted in any::<bool>(), explicit in any::<bool>(), prefix in "[a-z ]{0,20}",
    ) {
        let actor = format!("arn:aws:iam::{account}:role/{name}");
        let (action, resource) = (format!("s3:{action}"), format!("arn:aws:s3:::bucket/{key}"));
        let shown = if quoted { format!("\"{resource}\"") } else { resource.clone() };
        let why = if explicit { "with an explicit deny in a resource-based policy".into() } else { format!("because no resource-based policy allows the {action} action") };
        let found = denial(&format!("{prefix}: {actor} is not authorized to perform: {action} on resource: {shown} {why}"));
        prop_assert_eq!(found, Some(Denial {
            actor: Some(actor), action, resource: Some(resource),
            side: Some(PolicyKind::ResourceBased), explicit: Some(explicit), policy: None,
        }));
    }
}
