//! Who has to reach what for a pipeline's cross-account actions: roles, artifact buckets, keys, and what the rules
//! found between them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crosspipe_core::arn::{Arn, account_of, bucket_of};
use crosspipe_core::evaluation::Side;
use crosspipe_core::pipeline::{Action, Store};
use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::providers::{ArtifactHandler, PassedRole};
use crosspipe_core::rules::{ActionFacts, Facts, Finding, Severity, Unknown};
use crosspipe_core::snapshot::{Fact, RoleFacts, Snapshot};

use crate::source_location::steps;

/// What the rules say of a node or an edge; a later one outweighs those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// No fault was found.
    NoFault,
    /// Parts that would settle it are not known.
    Unknown,
    /// There is a finding at warning level.
    Warned,
    /// There is a finding at error level.
    Broken,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The pipeline's service role.
    ServiceRole,
    /// An artifact bucket.
    Bucket,
    /// The key of an artifact bucket.
    Key,
    /// The role of an action in a target account.
    ActionRole,
    /// A role that works for an action's provider: of a build project, a stack, a task, an instance.
    OtherRole,
}

/// A role, bucket or key.
#[derive(Debug)]
pub(super) struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its ARN; of a bucket its name.
    pub id: String,
    /// The account that it is in; empty where that is not known.
    pub account: String,
    /// What it is there for, in a few words.
    pub note: String,
    /// What the rules say of it as a whole.
    pub state: State,
    /// The findings about it as a whole, by their position in the list of findings.
    pub findings: Vec<usize>,
}

/// One role that has to reach a role, bucket or key.
#[derive(Debug)]
pub(super) struct Edge {
    /// The position of the role that asks.
    pub from: usize,
    /// The position of what it asks for.
    pub to: usize,
    /// What it does there.
    pub purpose: &'static str,
    /// The actions that were found to be denied.
    pub denied: BTreeSet<String>,
    /// What the rules say of it.
    pub state: State,
    /// The findings about it, by their position in the list of findings.
    pub findings: Vec<usize>,
}

/// The nodes and edges of one target account.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The target account; empty where no action works in another account.
    pub account: String,
    /// Positions of the nodes, in the order in which they are drawn.
    pub nodes: Vec<usize>,
    /// Positions of the edges.
    pub edges: Vec<usize>,
}

/// Everything that is drawn of one pipeline.
#[derive(Debug, Default)]
pub(super) struct AccessPath {
    /// What the anchors of its parts begin with.
    pub prefix: String,
    /// The pipeline's account.
    pub account: String,
    /// Every role, bucket and key, each once.
    pub nodes: Vec<Node>,
    /// Every connection of two of them.
    pub edges: Vec<Edge>,
    /// One picture per target account, in the order of the first action of each.
    pub pictures: Vec<Picture>,
    positions: HashMap<String, usize>,
    edge_positions: HashMap<(usize, usize), usize>,
}

impl AccessPath {
    /// Draws what the actions of these facts need, and what the findings and unknown parts say of it.
    pub(super) fn new(prefix: &str, facts: &Facts<'_>, findings: &[&Finding], unknown: &[Unknown]) -> Self {
        let (prefix, account) = (prefix.to_owned(), own_account(facts).to_owned());
        let mut path = AccessPath { prefix, account, ..AccessPath::default() };
        let service = path.node(Kind::ServiceRole, facts.pipeline().role_arn(), "runs the pipeline");
        let mut pictures: HashMap<String, usize> = HashMap::new();
        let cross_account: HashMap<String, ActionFacts<'_>> =
            facts.cross_account_actions().map(|it| (it.action.path(), it)).collect();
        for action in facts.actions() {
            let cross = cross_account.get(&action.path());
            let account = cross.map(|it| it.account).or_else(|| facts.reaches_into(&action));
            let Some(account) = account else { continue };
            let picture = *pictures.entry(account.to_owned()).or_insert_with(|| {
                path.pictures.push(Picture { account: account.to_owned(), ..Picture::default() });
                path.pictures.len() - 1
            });
            path.add_action(facts, &action, cross, (service, picture));
        }
        if path.pictures.is_empty() {
            path.pictures.push(Picture::default());
            for store in facts.pipeline().stores() {
                path.add_store(facts, &store, service, 0);
            }
        }
        path.mark_findings(facts, findings);
        path.mark_behind_same_policy(findings);
        path.mark_unknown(unknown);
        path.sort_nodes();
        path
    }

    fn add_action(
        &mut self,
        facts: &Facts<'_>,
        action: &Action<'_>,
        cross: Option<&ActionFacts<'_>>,
        (service, picture): (usize, usize),
    ) {
        let label = format!("{}/{}", action.stage().name(), action.name());
        let role = action.role_arn().map(|arn| self.node(Kind::ActionRole, arn, &label));
        let stores = match cross.map(|cross| (cross.store(), cross.key_arn())) {
            Some((store, key)) => {
                store.map(|store| self.add_store_with_key(facts, &store, key.as_ref(), service, picture))
            }
            None => facts
                .pipeline()
                .store_for(action.region())
                .map(|store| self.add_store(facts, &store, service, picture)),
        };
        if let Some(role) = role.filter(|role| *role != service) {
            self.connect(service, role, "assumes", picture);
        }
        let worker = role.unwrap_or(service);
        let Some(cross) = cross else { return };
        let provider = cross.provider();
        if provider.artifacts().is_action_role() {
            self.connect_stores(worker, stores, picture);
        }
        if provider.artifacts() == ArtifactHandler::ActionAndInstanceRoles {
            for arn in facts.snapshot().instance_roles.known().into_iter().flatten() {
                if account_of(arn) == Some(cross.account) {
                    let instance = self.node(Kind::OtherRole, arn, "instances");
                    self.connect_stores(instance, stores, picture);
                }
            }
        }
        if provider.artifacts() == ArtifactHandler::ProjectRole {
            let project = action
                .configuration("ProjectName")
                .and_then(|name| facts.snapshot().build_projects.get(name)?.known()?.service_role.known());
            if let Some(arn) = project {
                let build = self.node(Kind::OtherRole, arn, "build project");
                self.connect_stores(build, stores, picture);
            }
        }
        for passed in provider.passed_roles(&cross.place()) {
            if let PassedRole::Named { role: arn, service: to } = passed {
                let other = self.node(Kind::OtherRole, arn, to);
                self.connect(worker, other, "passes", picture);
            }
        }
    }

    fn connect_stores(&mut self, role: usize, stores: Option<(usize, Option<usize>)>, picture: usize) {
        let Some((bucket, key)) = stores else { return };
        self.connect(role, bucket, "artifacts", picture);
        if let Some(key) = key {
            self.connect(role, key, "key", picture);
        }
    }

    fn add_store(
        &mut self,
        facts: &Facts<'_>,
        store: &Store<'_>,
        service: usize,
        picture: usize,
    ) -> (usize, Option<usize>) {
        let key = store.key_id().and_then(|id| Arn::parse(id).ok());
        self.add_store_with_key(facts, store, key.as_ref(), service, picture)
    }

    fn add_store_with_key(
        &mut self,
        facts: &Facts<'_>,
        store: &Store<'_>,
        key: Option<&Arn>,
        service: usize,
        picture: usize,
    ) -> (usize, Option<usize>) {
        let region = facts.store_region(store).unwrap_or_default();
        let bucket = self.node(Kind::Bucket, store.bucket(), region);
        let owner =
            facts.bucket(store.bucket()).part(|bucket| &bucket.account).known().map(|it| (*it).clone());
        let own = self.account.clone();
        if let Some(node) = self.nodes.get_mut(bucket) {
            node.account = owner.unwrap_or(own);
        }
        self.connect(service, bucket, "artifacts", picture);
        let key = key.map(|arn| {
            let key = self.node(Kind::Key, arn.as_str(), arn.region());
            self.connect(service, key, "key", picture);
            key
        });
        (bucket, key)
    }

    /// The position of the node with this id, which is made where there is none.
    fn node(&mut self, kind: Kind, id: &str, note: &str) -> usize {
        if let Some(position) = self.positions.get(id) {
            return *position;
        }
        self.nodes.push(Node {
            kind,
            id: id.to_owned(),
            account: account_of(id).unwrap_or_default().to_owned(),
            note: note.to_owned(),
            state: State::NoFault,
            findings: vec![],
        });
        self.positions.insert(id.to_owned(), self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// The position of the edge between these, which is made where there is none, and is part of this picture.
    fn connect(&mut self, from: usize, to: usize, purpose: &'static str, picture: usize) -> usize {
        let next = self.edges.len();
        let edge = *self.edge_positions.entry((from, to)).or_insert(next);
        if edge == next {
            let (denied, findings) = (BTreeSet::new(), vec![]);
            self.edges.push(Edge { from, to, purpose, denied, state: State::NoFault, findings });
        }
        if let Some(picture) = self.pictures.get_mut(picture) {
            picture.edges.push(edge);
            picture.nodes.extend([from, to]);
        }
        edge
    }

    fn mark_findings(&mut self, facts: &Facts<'_>, findings: &[&Finding]) {
        for (number, finding) in findings.iter().enumerate() {
            let state = match finding.severity {
                Severity::Error => State::Broken,
                Severity::Warning => State::Warned,
            };
            let mut is_placed = false;
            for denied in &finding.denied {
                let Some(edge) = self.edge_of_request(&denied.principal, &denied.resource) else { continue };
                if let Some(edge) = self.edges.get_mut(edge) {
                    edge.denied.insert(denied.action.clone());
                    edge.state = edge.state.max(state);
                    if edge.findings.last() != Some(&number) {
                        edge.findings.push(number);
                    }
                    is_placed = true;
                }
            }
            if is_placed {
                continue;
            }
            if let Some(node) = self.node_at(facts, &finding.location).and_then(|it| self.nodes.get_mut(it)) {
                node.state = node.state.max(state);
                node.findings.push(number);
            }
        }
    }

    /// Where the policy of a bucket or key refuses one role of an account, the rules say no more about that account's
    /// other roles: nothing is promised of them.
    fn mark_behind_same_policy(&mut self, findings: &[&Finding]) {
        let denied = findings.iter().flat_map(|finding| &finding.denied);
        let refused: BTreeSet<(String, usize)> = denied
            .filter(|denied| denied.side == Side::Resource)
            .filter_map(|denied| {
                let resource = denied.bucket().unwrap_or(&denied.resource);
                Some((account_of(&denied.principal)?.to_owned(), *self.positions.get(resource)?))
            })
            .collect();
        for edge in &mut self.edges {
            let account = self.nodes.get(edge.from).map(|node| node.account.clone()).unwrap_or_default();
            if edge.state == State::NoFault && refused.contains(&(account, edge.to)) {
                edge.state = State::Unknown;
            }
        }
    }

    /// The edge of a request; a role that is not drawn yet is added to the pictures of its account.
    fn edge_of_request(&mut self, principal: &str, resource: &str) -> Option<usize> {
        let to = *self.positions.get(bucket_of(resource).unwrap_or(resource))?;
        let from = match self.positions.get(principal) {
            Some(from) => *from,
            None if principal.contains(":role/") => {
                self.node(Kind::OtherRole, principal, "works for an action")
            }
            None => return None,
        };
        if let Some(edge) = self.edge_positions.get(&(from, to)) {
            return Some(*edge);
        }
        let account = account_of(principal).unwrap_or_default().to_owned();
        let picture = self.pictures.iter().position(|it| it.account == account).unwrap_or(0);
        let purpose = match self.nodes.get(to).map(|node| node.kind) {
            Some(Kind::Bucket) => "artifacts",
            Some(Kind::Key) => "key",
            _ => "uses",
        };
        Some(self.connect(from, to, purpose, picture))
    }

    /// The node that a finding's location is about.
    fn node_at(&self, facts: &Facts<'_>, location: &str) -> Option<usize> {
        let steps = steps(location);
        let step = |number: usize| steps.get(number).map(String::as_str);
        let id = match step(0)? {
            "keys" | "buckets" | "roles" => step(1)?.to_owned(),
            "roleArn" => facts.pipeline().role_arn().to_owned(),
            "artifactStore" | "artifactStores" => {
                let region = step(1).filter(|_| step(0) == Some("artifactStores"));
                let store = facts.pipeline().stores().find(|store| store.region() == region)?;
                let is_of_key = steps.iter().any(|step| step == "encryptionKey");
                let key = store.key_id().filter(|id| is_of_key && self.positions.contains_key(*id));
                key.unwrap_or(store.bucket()).to_owned()
            }
            "stages" => {
                let (stage, action) = (step(1)?.parse().ok()?, step(3)?.parse().ok()?);
                let stage = facts.pipeline().stages().nth(stage)?;
                stage.actions().nth(action)?.role_arn()?.to_owned()
            }
            "buildProjects" => {
                facts.snapshot().build_projects.get(step(1)?)?.known()?.service_role.known()?.clone()
            }
            _ => return None,
        };
        self.positions.get(&id).copied()
    }

    /// An unknown policy of a resource leaves open who may reach it, one of a role what it may reach.
    fn mark_unknown(&mut self, unknown: &[Unknown]) {
        let mut from = BTreeSet::new();
        let mut to = BTreeSet::new();
        for unknown in unknown {
            let steps = steps(&unknown.missing);
            let step = |number: usize| steps.get(number).map(String::as_str);
            let Some(node) = step(1).and_then(|id| self.positions.get(id)).copied() else { continue };
            match (step(0), step(2)) {
                (Some("roles"), Some("trustPolicy")) => drop(to.insert(node)),
                (Some("roles"), Some(_)) => drop(from.insert(node)),
                (Some("roles"), None) => {
                    from.insert(node);
                    to.insert(node);
                }
                (Some("keys" | "buckets"), _) => drop(to.insert(node)),
                _ => {}
            }
            if let Some(node) = self.nodes.get_mut(node) {
                node.state = node.state.max(State::Unknown);
            }
        }
        for edge in &mut self.edges {
            if from.contains(&edge.from) || to.contains(&edge.to) {
                edge.state = edge.state.max(State::Unknown);
            }
        }
    }

    /// Service role, stores, action roles, other roles; each once in a picture.
    fn sort_nodes(&mut self) {
        for picture in &mut self.pictures {
            let order = |node: &usize| (self.nodes.get(*node).map(|node| node.kind as u8), *node);
            picture.nodes.sort_by_key(order);
            picture.nodes.dedup();
            picture.edges.sort_unstable();
            picture.edges.dedup();
            if picture.nodes.is_empty() {
                picture.nodes.push(0);
            }
        }
    }

    /// What the worst node or edge of a picture says.
    pub(super) fn state_of(&self, picture: &Picture) -> State {
        let edges = picture.edges.iter().filter_map(|edge| self.edges.get(*edge)).map(|edge| edge.state);
        let nodes = picture.nodes.iter().filter_map(|node| self.nodes.get(*node)).map(|node| node.state);
        edges.chain(nodes).max().unwrap_or(State::NoFault)
    }
}

fn own_account<'a>(facts: &'a Facts<'_>) -> &'a str {
    facts.pipeline().account().unwrap_or_default()
}

/// The policies of a node, each with its name; what is not known or absent is said instead.
pub(super) fn policies(node: &Node, snapshot: &Snapshot) -> Vec<(String, Fact<PolicyDocument>)> {
    let one = |name: &str, policy: Fact<&PolicyDocument>| (name.to_owned(), cloned(&policy));
    match node.kind {
        Kind::Bucket => {
            let bucket = snapshot.buckets.get(&node.id).map_or(Fact::Unknown, Fact::as_ref);
            vec![one("Bucket policy", bucket.part(|it| &it.policy))]
        }
        Kind::Key => {
            let key = snapshot.keys.get(&node.id).map_or(Fact::Unknown, Fact::as_ref);
            vec![one("Key policy", key.part(|it| &it.policy))]
        }
        _ => {
            let role = snapshot.roles.get(&node.id).map_or(Fact::Unknown, Fact::as_ref);
            of_role(&role)
        }
    }
}

fn of_role(role: &Fact<&RoleFacts>) -> Vec<(String, Fact<PolicyDocument>)> {
    let mut policies = vec![("Trust policy".to_owned(), cloned(&role.part(|it| &it.trust_policy)))];
    let sets: [(&str, Fact<&BTreeMap<String, PolicyDocument>>); 2] = [
        ("Inline policy", role.part(|it| &it.inline_policies)),
        ("Attached policy", role.part(|it| &it.attached_policies)),
    ];
    for (what, set) in sets {
        match set {
            Fact::Known(set) => policies.extend(
                set.iter().map(|(name, policy)| (format!("{what} {name}"), Fact::Known(policy.clone()))),
            ),
            Fact::Absent => {}
            Fact::Unknown => policies.push((what.to_owned(), Fact::Unknown)),
        }
    }
    if let boundary @ (Fact::Known(_) | Fact::Unknown) = role.part(|it| &it.permissions_boundary) {
        policies.push(("Permissions boundary".to_owned(), cloned(&boundary)));
    }
    policies
}

fn cloned(policy: &Fact<&PolicyDocument>) -> Fact<PolicyDocument> {
    match policy {
        Fact::Known(policy) => Fact::Known((*policy).clone()),
        Fact::Absent => Fact::Absent,
        Fact::Unknown => Fact::Unknown,
    }
}
