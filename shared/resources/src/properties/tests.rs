use proptest::prelude::*;
use serde_json::json;

use super::*;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

const fn known(name: &'static str) -> Property {
    Property::default(name, "none", "for tests")
}

const KNOWN: [Property; 6] =
    [known("KeyArn"), known("TargetAccounts"), known("Deny"), known("Days"), known("Actions"), known("Keys")];

fn read<T>(
    value: Value,
    read: impl for<'a> Fn(&Properties<'a>) -> Result<T, FieldError>,
) -> Result<T, String> {
    let map = map(value);
    Properties::new(&map, &[&KNOWN])
        .and_then(|properties| read(&properties))
        .map_err(|error| error.with_help())
}

#[test]
fn unknown_properties_name_the_nearest() {
    let error = |value| read(value, |_| Ok(())).unwrap_err();
    assert_eq!(
        error(json!({"TargetAcounts": "1"})),
        "`TargetAcounts` is unknown; use `TargetAccounts`, the nearest known property"
    );
    assert!(error(json!({"keyarn": "1"})).contains("use `KeyArn`"));
    assert_eq!(
        error(json!({"Bucket": {"secret": 1}})),
        "`Bucket` is unknown; remove it; known properties are KeyArn, TargetAccounts, Deny, Days, Actions, Keys"
    );
    assert!(error(json!({"x".repeat(5_000): 1})).len() < 300);
    assert_eq!(read(json!({"ServiceToken": "arn", "ServiceTimeout": "60"}), |_| Ok(())), Ok(()));
}

#[test]
fn texts() {
    let required = |value| read(value, |properties| properties.required("KeyArn").map(str::to_owned));
    assert_eq!(required(json!({"KeyArn": " arn "})), Ok("arn".to_owned()));
    for absent in [json!(""), json!(" "), json!(null), json!("AWS::NoValue"), json!({"Ref": "AWS::NoValue"})]
    {
        assert_eq!(
            required(json!({ "KeyArn": absent })).unwrap_err(),
            "`KeyArn` is missing or empty; give `KeyArn` a value"
        );
        assert_eq!(
            read(json!({ "KeyArn": absent }), |p| p.optional("KeyArn").map(|text| text.is_none())),
            Ok(true)
        );
    }
    assert!(required(json!({})).is_err());
    assert_eq!(
        required(json!({"KeyArn": 12})).unwrap_err(),
        "`KeyArn` is the number `12`, expected a string; make `KeyArn` a string"
    );
    assert!(!required(json!({"KeyArn": {"a": "secret"}})).unwrap_err().contains("secret"));
    assert!(!required(json!({"KeyArn": ["secret"]})).unwrap_err().contains("secret"));
}

#[test]
fn lists() {
    let list = |value| read(value, |properties| properties.list("TargetAccounts"));
    let two = Ok(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(list(json!({"TargetAccounts": ["a", " b ", "", null, "AWS::NoValue"]})), two);
    assert_eq!(list(json!({"TargetAccounts": " a, b,,"})), two);
    assert_eq!(list(json!({"TargetAccounts": ""})), Ok(vec![]));
    assert_eq!(list(json!({"TargetAccounts": "AWS::NoValue"})), Ok(vec![]));
    assert_eq!(list(json!({})), Ok(vec![]));
    assert_eq!(
        list(json!({"TargetAccounts": ["a", "", 7]})).unwrap_err(),
        "`TargetAccounts[2]` is the number `7`, expected a string; make `TargetAccounts[2]` a string"
    );
    assert!(
        list(json!({"TargetAccounts": {"a": 1}})).unwrap_err().contains("is a structure, expected a list")
    );
}

#[test]
fn booleans() {
    let boolean = |value| read(json!({ "Deny": value }), |properties| properties.boolean("Deny", true));
    assert_eq!(boolean(json!("false")), Ok(false));
    assert_eq!(boolean(json!("True")), Ok(true));
    assert_eq!(boolean(json!(false)), Ok(false));
    assert_eq!(boolean(json!("")), Ok(true));
    assert_eq!(
        boolean(json!("no")).unwrap_err(),
        "`Deny` is the string `no`, expected `true` or `false`; make `Deny` `true` or `false`"
    );
    assert!(boolean(json!(0)).is_err());
}

#[test]
fn structures_name_the_full_path() {
    fn stages(properties: &Properties<'_>) -> Result<Vec<String>, FieldError> {
        let actions = properties.objects("Actions")?;
        actions
            .iter()
            .map(|action| Ok(action.properties(&["Stage", "Action"])?.required("Stage")?.to_owned()))
            .collect()
    }
    let stages = |value| read(json!({ "Actions": value }), stages);
    assert_eq!(stages(json!([{"Stage": "Deploy"}])), Ok(vec!["Deploy".to_owned()]));
    assert_eq!(stages(json!("")), Ok(vec![]));
    assert!(stages(json!([{"Stage": "Deploy"}, {}])).unwrap_err().contains("`Actions[1].Stage` is missing"));
    assert_eq!(
        stages(json!([{"Stagee": "Deploy"}])).unwrap_err(),
        "`Actions[0].Stagee` is unknown; use `Actions[0].Stage`, the nearest known property"
    );
    // The resource's own properties only.
    assert!(stages(json!([{"ServiceToken": "arn"}])).is_err());
    assert!(stages(json!(["secret"])).unwrap_err().contains("`Actions[0]` is the string"));
    assert!(stages(json!({"Stage": "Deploy"})).unwrap_err().contains("is a structure, expected a list"));

    let keys = |value| read(json!({ "Keys": value }), |p| Ok(p.object("Keys")?.map(|keys| keys.map.len())));
    assert_eq!(keys(json!({"us-east-2": "arn"})), Ok(Some(1)));
    assert_eq!(keys(json!("")), Ok(None));
    assert!(keys(json!([])).unwrap_err().contains("`Keys` is a list, expected a structure"));
}

#[test]
fn custom_error_names_full_path() {
    let map = map(json!({"Actions": [{"Stage": "x"}]}));
    let properties = Properties::new(&map, &[&KNOWN]).unwrap();
    let action = properties.objects("Actions").unwrap()[0].properties(&["Stage"]).unwrap();
    let error = action.error("Stage", "names no stage of the pipeline", "use one of `Source`, `Build`");
    assert_eq!(error.to_string(), "`Actions[0].Stage` names no stage of the pipeline");
}

proptest! {
    #[test]
    fn delimited_string_is_a_list(items in proptest::collection::vec("[ a-z0-9:/-]{0,12}", 0..6)) {
        let json_list = read(json!({ "TargetAccounts": items }), |p| p.list("TargetAccounts"));
        let delimited = read(json!({ "TargetAccounts": items.join(",") }), |p| p.list("TargetAccounts"));
        prop_assert_eq!(json_list, delimited);
    }
}
