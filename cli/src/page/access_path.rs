//! Who has to reach what for a pipeline's cross-account actions: roles, artifact buckets and keys. `marks` holds what
//! the rules say of them.

mod marks;

use std::collections::{BTreeSet, HashMap};

use crosspipe_core::arn::{Arn, account_of};
use crosspipe_core::pipeline::{Action, Store};
use crosspipe_core::providers::{ArtifactHandler, PassedRole};
use crosspipe_core::rules::{ActionFacts, Facts, Finding, Unknown};

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

impl State {
    /// It in words.
    pub(super) fn label(self) -> &'static str {
        match self {
            State::NoFault => "no fault found",
            State::Unknown => "not judged",
            State::Warned => "warning",
            State::Broken => "broken",
        }
    }

    /// Its class in the style sheet.
    pub(super) fn css_class(self) -> &'static str {
        match self {
            State::NoFault => "fine",
            State::Unknown => "unknown",
            State::Warned => "warned",
            State::Broken => "broken",
        }
    }
}

impl Kind {
    /// It in words.
    pub(super) fn label(self) -> &'static str {
        match self {
            Kind::ServiceRole => "Service role",
            Kind::Bucket => "Artifact bucket",
            Kind::Key => "Artifact key",
            Kind::ActionRole => "Action role",
            Kind::OtherRole => "Other role",
        }
    }
}

impl Node {
    /// The name of a role or bucket, the id of a key.
    pub(super) fn name(&self) -> String {
        match self.kind {
            Kind::Bucket => self.id.clone(),
            _ => self.id.rsplit('/').next().unwrap_or(&self.id).to_owned(),
        }
    }
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

    /// The anchor of the part of the page about this node.
    pub(super) fn node_anchor(&self, number: usize) -> String {
        format!("{}-n{number}", self.prefix)
    }

    /// The anchor of the part of the page about this edge.
    pub(super) fn edge_anchor(&self, number: usize) -> String {
        format!("{}-e{number}", self.prefix)
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
}

fn own_account<'a>(facts: &'a Facts<'_>) -> &'a str {
    facts.pipeline().account().unwrap_or_default()
}
