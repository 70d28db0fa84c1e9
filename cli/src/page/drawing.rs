//! An access path as an SVG, wide for a desk and tall for a phone.
//!
//! The pipeline's account is on the left or above, the target account on the right or below. Every box and every arrow
//! is a link to the part of the page that has its statements; a state is told by a sign and by words, never by colour
//! alone. Each arrow ends at a label, and the labels of one box are below one another, so that none covers another.

use std::collections::HashMap;

use maud::{Markup, html};

use super::access_path::{AccessPath, Edge, Kind, Node, Picture, State};

/// Height of a box with no more than two arrows at its side.
const BOX: i32 = 62;
/// Height of a label, with the space below it.
const LABEL: i32 = 28;
/// Width of a character of a label, about.
const CHARACTER: i32 = 8;

/// How the accounts are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Side by side, 1040 wide.
    Wide,
    /// One above the other, 380 wide.
    Tall,
}

/// One account's frame, its left edge and its width.
#[derive(Clone, Copy)]
struct Column {
    x: i32,
    width: i32,
    node_x: i32,
    node_width: i32,
    /// Where the arrows between its own boxes run: left of them, or right of them.
    lanes_left: bool,
}

impl Shape {
    fn width(self) -> i32 {
        match self {
            Shape::Wide => 1040,
            Shape::Tall => 380,
        }
    }

    fn columns(self) -> [Column; 2] {
        match self {
            Shape::Wide => [
                Column { x: 4, width: 380, node_x: 56, node_width: 312, lanes_left: true },
                Column { x: 656, width: 380, node_x: 672, node_width: 312, lanes_left: false },
            ],
            Shape::Tall => [
                Column { x: 4, width: 372, node_x: 16, node_width: 292, lanes_left: false },
                Column { x: 4, width: 372, node_x: 16, node_width: 292, lanes_left: false },
            ],
        }
    }
}

/// Where a box is.
#[derive(Clone, Copy)]
struct Place {
    side: usize,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    /// Labels above it.
    labels: i32,
}

impl Place {
    fn middle(&self) -> i32 {
        self.y + self.height / 2
    }

    /// Where the label in this row above it begins.
    fn label_y(&self, row: i32) -> i32 {
        self.y - 4 - (self.labels - row) * LABEL
    }
}

/// The drawing of one picture.
pub(super) fn draw_picture(path: &AccessPath, picture: &Picture, shape: Shape) -> Markup {
    let layout = Layout::new(path, picture, shape);
    let name = match picture.account.as_str() {
        "" => format!("Access path in account {}", path.account),
        account => format!("Access path from account {} to account {account}", path.account),
    };
    let class = if shape == Shape::Wide { "wide" } else { "tall" };
    html! {
        svg class=(class) viewBox=(format!("0 0 {} {}", shape.width(), layout.height)) role="group" aria-label=(name) {
            @for frame in &layout.frames { (frame) }
            @for edge in &picture.edges { (layout.edge(*edge)) }
            @for node in &picture.nodes { (layout.node(*node)) }
        }
    }
}

/// The path of an arrow, the corner of its label, the path of its head.
type Line = (String, (i32, i32), String);

struct Layout<'a> {
    path: &'a AccessPath,
    shape: Shape,
    places: HashMap<usize, Place>,
    /// For each edge, its row among the labels above or beside the box that it leads to.
    rows: HashMap<usize, i32>,
    /// For each edge that runs in a lane beside the boxes, which; the others run from account to account.
    lanes: HashMap<usize, i32>,
    frames: Vec<Markup>,
    height: i32,
}

impl<'a> Layout<'a> {
    fn new(path: &'a AccessPath, picture: &Picture, shape: Shape) -> Self {
        let mut layout = Layout {
            path,
            shape,
            places: HashMap::new(),
            rows: HashMap::new(),
            lanes: HashMap::new(),
            frames: vec![],
            height: 0,
        };
        let is_target = |node: &usize| {
            let node = path.nodes.get(*node);
            usize::from(node.is_some_and(|node| is_in_target(node, path, picture)))
        };
        let sides: HashMap<usize, usize> =
            picture.nodes.iter().map(|node| (*node, is_target(node))).collect();
        let mut above: HashMap<usize, i32> = HashMap::new();
        let mut beside: HashMap<usize, i32> = HashMap::new();
        let mut lane = [0, 0];
        for number in &picture.edges {
            let Some(edge) = path.edges.get(*number) else { continue };
            let side = sides.get(&edge.from).copied().unwrap_or_default();
            let to_side = sides.get(&edge.to).copied().unwrap_or_default();
            let in_lane = shape == Shape::Tall || to_side == side;
            // Between the accounts there is room for the labels of one direction.
            let counter = if in_lane || to_side == 1 { &mut above } else { &mut beside };
            let row = counter.entry(edge.to).or_default();
            layout.rows.insert(*number, *row);
            *row += 1;
            if in_lane && let Some(lane) = lane.get_mut(if shape == Shape::Tall { 0 } else { side }) {
                layout.lanes.insert(*number, *lane);
                *lane += 1;
            }
        }
        let mut top = 4;
        let mut bottom = 0;
        for (side, column) in shape.columns().into_iter().enumerate() {
            let mut y = top + 46;
            let mut any = false;
            for node in picture.nodes.iter().filter(|node| sides.get(node) == Some(&side)) {
                any = true;
                let labels = above.get(node).copied().unwrap_or_default();
                y += labels * LABEL + 14;
                let height = BOX.max(beside.get(node).copied().unwrap_or_default() * (LABEL + 2) + 8);
                let place = Place { side, x: column.node_x, y, width: column.node_width, height, labels };
                layout.places.insert(*node, place);
                y += height;
            }
            if any {
                let account = if side == 0 { &path.account } else { &picture.account };
                layout.frames.push(draw_frame(side, account, column, top, y + 18 - top));
                bottom = bottom.max(y + 18);
                if shape == Shape::Tall {
                    top = y + 18 + 14;
                }
            }
        }
        layout.height = bottom + 4;
        layout
    }

    fn node(&self, number: usize) -> Markup {
        let (Some(place), Some(node)) = (self.places.get(&number), self.path.nodes.get(number)) else {
            return html! {};
        };
        let state = node.state;
        let name = node.name();
        let room = usize::try_from((place.width - 50) / 9).unwrap_or_default();
        html! {
            a href=(format!("#{}", self.path.node_anchor(number))) class=(format!("node {}", state.css_class()))
                aria-label=(format!("{} {}, {}", node.kind.label(), name, state.label())) {
                rect x=(place.x) y=(place.y) width=(place.width) height=(place.height) rx="8" {}
                text class="kind" x=(place.x + 14) y=(place.middle() - 11) { (node.kind.label().to_uppercase()) }
                text class="name" x=(place.x + 14) y=(place.middle() + 6) { (shorten_middle(&name, room)) }
                text class="note" x=(place.x + 14) y=(place.middle() + 22) { (shorten_middle(&node.note, room + 10)) }
                @if state != State::NoFault {
                    (draw_sign(state, place.x + place.width - 20, place.y + 20))
                }
            }
        }
    }

    fn edge(&self, number: usize) -> Markup {
        let places = |edge: &Edge| Some((*self.places.get(&edge.from)?, *self.places.get(&edge.to)?));
        let Some((edge, (from, to))) =
            self.path.edges.get(number).and_then(|edge| Some((edge, places(edge)?)))
        else {
            return html! {};
        };
        let text = edge_label(edge);
        let width = i32::try_from(text.chars().count()).unwrap_or(24) * CHARACTER + 34;
        let Some(row) = self.rows.get(&number) else { return html! {} };
        let (line, (x, y), head) = match self.lanes.get(&number) {
            Some(lane) => self.line_in_lane(*lane, (from, to), *row, width),
            None => line_across(from, to, *row, width),
        };
        let name = |node: usize| self.path.nodes.get(node).map(Node::name).unwrap_or_default();
        html! {
            a href=(format!("#{}", self.path.edge_anchor(number))) class=(format!("edge {}", edge.state.css_class()))
                aria-label=(format!("{} to {}: {}, {}", name(edge.from), name(edge.to), text, edge.state.label())) {
                path class="reach" d=(line) {}
                path class="line" d=(line) {}
                path class="head" d=(head) {}
                rect x=(x) y=(y) width=(width) height="24" rx="12" {}
                (draw_sign(edge.state, x + 14, y + 12))
                text x=(x + 27) y=(y + 16) { (text) }
            }
        }
    }

    /// Out of a box at its side, along a lane, and to a label above the other box.
    fn line_in_lane(&self, lane: i32, (from, to): (Place, Place), row: i32, width: i32) -> Line {
        let columns = self.shape.columns();
        let left = columns.get(from.side).is_some_and(|column| column.lanes_left);
        let y = to.label_y(row);
        let start = from.y + 14 + (lane * 9) % (from.height - 20).max(1);
        let (side, lane_x, x) = if left {
            (from.x, from.x - 10 - (lane * 9) % 40, to.x + 8)
        } else {
            let right = from.x + from.width;
            (right, right + 10 + (lane * 9) % 54, to.x + to.width - 8 - width)
        };
        let (end, bend) = if left { (x, 1) } else { (x + width, -1) };
        let middle = y + 12;
        (format!("M{side} {start}H{lane_x}V{middle}H{end}"), (x, y), arrow_head(end, middle, bend))
    }
}

/// From account to account: to a label above a box on the right, or through a label beside a box on the left.
fn line_across(from: Place, to: Place, row: i32, width: i32) -> Line {
    let start_y = from.middle() + (row - 1) * 8;
    if to.side > from.side {
        let (start, x, y) = (from.x + from.width, to.x + 8, to.label_y(row));
        let (first, second, middle) = (start + 110, x - 110, y + 12);
        let line = format!("M{start} {start_y}C{first} {start_y} {second} {middle} {x} {middle}");
        return (line, (x, y), arrow_head(x, middle, 1));
    }
    let end_y = to.y + 8 + row * (LABEL + 2) + 12;
    let (start, end) = (from.x, to.x + to.width);
    let (x, far) = (end + 22, end + 22 + width);
    let (first, second) = (start - 70, far + 70);
    let line = format!("M{start} {start_y}C{first} {start_y} {second} {end_y} {far} {end_y}H{end}");
    (line, (x, end_y - 12), arrow_head(end, end_y, -1))
}

/// The head of an arrow that ends here, to the right where `bend` is 1 and to the left where it is -1.
fn arrow_head(x: i32, y: i32, bend: i32) -> String {
    format!("M{} {}L{} {y}L{} {}", x - bend * 8, y - 5, x - bend, x - bend * 8, y + 5)
}

fn draw_frame(side: usize, account: &str, column: Column, y: i32, height: i32) -> Markup {
    let title = if side == 0 { "Pipeline account" } else { "Target account" };
    html! {
        g class="frame" {
            rect x=(column.x) y=(y) width=(column.width) height=(height) rx="14" {}
            text x=(column.x + 16) y=(y + 28) {
                tspan class="title" { (title) }
                tspan class="account" dx="10" { (account) }
            }
        }
    }
}

fn is_in_target(node: &Node, path: &AccessPath, picture: &Picture) -> bool {
    match node.kind {
        Kind::ServiceRole | Kind::Bucket | Kind::Key => false,
        Kind::ActionRole | Kind::OtherRole => !picture.account.is_empty() && node.account != path.account,
    }
}

/// The label of an edge: what is denied, else what it is for.
fn edge_label(edge: &Edge) -> String {
    let mut denied = edge.denied.iter();
    match (denied.next(), denied.count()) {
        (None, _) => edge.purpose.to_owned(),
        (Some(first), 0) => shorten_middle(first, 23),
        (Some(first), more) => format!("{} +{more}", shorten_middle(first, 19)),
    }
}

/// The sign of a state, drawn so that it needs no font.
fn draw_sign(state: State, x: i32, y: i32) -> Markup {
    let mark = match state {
        State::NoFault => format!("M{} {y}l3 3l5 -6", x - 4),
        State::Unknown => format!("M{} {}a3 3 0 1 1 3 3v1.5m0 2.4v.2", x - 3, y - 2),
        State::Warned => format!("M{x} {}v5m0 2.6v.2", y - 4),
        State::Broken => format!("M{} {}l7 7m0 -7l-7 7", x - 3, y - 3),
    };
    html! {
        g class="sign" aria-hidden="true" {
            circle cx=(x) cy=(y) r="8" {}
            path d=(mark) {}
        }
    }
}

/// At most so many characters, the middle left out, since names differ at their ends.
fn shorten_middle(text: &str, room: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= room {
        return text.to_owned();
    }
    let half = room.saturating_sub(1) / 2;
    let start: String = characters.iter().take(half).collect();
    let end: String = characters.iter().skip(characters.len() - half).collect();
    format!("{start}…{end}")
}
