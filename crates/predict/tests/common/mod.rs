//! Random schemas with values that follow them.

use graft_core::AnswerForm;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A schema from which values can be drawn.
#[derive(Clone, Debug)]
pub(crate) enum Spec {
    Boolean,
    Integer(i64, i64),
    Number,
    Text,
    Enum(Vec<String>),
    Array(Box<Spec>, usize),
    /// Name, required, schema.
    Object(Vec<(String, bool, Spec)>),
    /// Alternatives of different types; and null if true.
    Union(Vec<Spec>, bool),
}

impl Spec {
    pub(crate) fn schema(&self) -> Value {
        match self {
            Self::Boolean => json!({"type": "boolean"}),
            Self::Integer(low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
            Self::Number => json!({"type": "number"}),
            Self::Text => json!({"type": "string", "maxLength": 30}),
            Self::Enum(members) => json!({"enum": members}),
            Self::Array(element, min) => json!({"type": "array", "items": element.schema(), "minItems": min}),
            Self::Object(properties) => {
                let named: Map<String, Value> =
                    properties.iter().map(|(name, _, spec)| (name.clone(), spec.schema())).collect();
                let required: Vec<&String> = properties.iter().filter(|p| p.1).map(|p| &p.0).collect();
                json!({"type": "object", "properties": named, "required": required, "additionalProperties": false})
            }
            Self::Union(specs, null) => {
                let mut all: Vec<Value> = specs.iter().map(Spec::schema).collect();
                all.extend(null.then(|| json!({"type": "null"})));
                json!({"anyOf": all})
            }
        }
    }

    pub(crate) fn form(&self) -> AnswerForm {
        AnswerForm::Json { schema: self.schema() }
    }

    pub(crate) fn value(&self) -> BoxedStrategy<Value> {
        match self {
            Self::Boolean => any::<bool>().prop_map(Value::from).boxed(),
            Self::Integer(low, high) => (*low..=*high).prop_map(Value::from).boxed(),
            Self::Number => prop_oneof![
                any::<i32>().prop_map(Value::from),
                any::<i32>().prop_filter("whole", |n| n % 1000 != 0).prop_map(|n| Value::from(f64::from(n) / 1000.0)),
            ]
            .boxed(),
            Self::Text => nasty().prop_map(Value::from).boxed(),
            Self::Enum(members) => proptest::sample::select(members.clone()).prop_map(Value::from).boxed(),
            Self::Array(element, min) => {
                proptest::collection::vec(element.value(), *min..*min + 3).prop_map(Value::from).boxed()
            }
            Self::Object(properties) => {
                properties.iter().fold(Just(json!({})).boxed(), |map, (name, required, spec)| {
                    let (name, required) = (name.clone(), *required);
                    (map, spec.value(), any::<bool>())
                        .prop_map(move |(mut map, value, there)| {
                            if required || there {
                                map[&name] = value;
                            }
                            map
                        })
                        .boxed()
                })
            }
            Self::Union(specs, null) => {
                let mut all: Vec<BoxedStrategy<Value>> = specs.iter().map(Spec::value).collect();
                all.extend(null.then(|| Just(Value::Null).boxed()));
                proptest::strategy::Union::new(all).boxed()
            }
        }
    }
}

/// Strings that look like marks of the wire form, and any others.
fn nasty() -> impl Strategy<Value = String> {
    let marks = vec![
        "",
        " ",
        "-",
        "?",
        "-5",
        "true",
        "falsehood",
        "\\",
        "\\_",
        "\\n",
        ";",
        ";;",
        "|",
        "]",
        "(",
        "a;b",
        "x\ny",
        "\t",
        "12",
        " two  spaces ",
        "é",
        "🍌 banana",
        "\u{0}",
        "\u{7f}",
        "\"quoted\"",
        "null",
    ];
    prop_oneof![
        proptest::sample::select(marks).prop_map(str::to_owned),
        "[a-z]{1,8}( [a-z]{1,8})?",
        proptest::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter),
    ]
}

/// Answers of up to three levels.
pub(crate) fn answer() -> impl Strategy<Value = Spec> {
    let bounds = (-120_i64..=1200, 0_i64..=1500).prop_map(|(low, more)| Spec::Integer(low, low + more));
    let leaf = prop_oneof![Just(Spec::Boolean), bounds, Just(Spec::Number), Just(Spec::Text), members(),];
    let inner = leaf.prop_recursive(2, 12, 4, |inner| {
        let object = object(inner.clone(), 1);
        let array = (inner.clone(), 0_usize..2).prop_map(|(element, min)| Spec::Array(Box::new(element), min));
        let union = (object.clone(), array.clone(), members(), any::<[bool; 7]>()).prop_map(
            |(object, array, members, pick)| {
                let all = [object, array, members, Spec::Boolean, Spec::Number, Spec::Text];
                let chosen: Vec<Spec> =
                    all.into_iter().zip(pick).filter(|(_, take)| *take).map(|(spec, _)| spec).collect();
                if chosen.is_empty() { Spec::Union(vec![Spec::Text], true) } else { Spec::Union(chosen, pick[6]) }
            },
        );
        let nullable = members().prop_map(|members| Spec::Union(vec![members], true));
        prop_oneof![object, array, union, nullable]
    });
    object(inner, 1)
}

/// Enum members that are prefixes of each other, and some that look like marks of the wire form.
fn members() -> impl Strategy<Value = Spec> + Clone {
    let all = ["", "case", "box", "boxes", "-", "?", "true", "dry goods", "dry", "a;b", "12", "é"];
    let some = proptest::sample::subsequence(all.to_vec(), 1..5);
    some.prop_map(|m| Spec::Enum(m.into_iter().map(str::to_owned).collect()))
}

fn object(inner: impl Strategy<Value = Spec> + Clone + 'static, least: usize) -> BoxedStrategy<Spec> {
    proptest::collection::vec((any::<bool>(), inner), least..4)
        .prop_map(|properties| {
            let named =
                properties.into_iter().enumerate().map(|(i, (required, spec))| (format!("p{i}"), required, spec));
            Spec::Object(named.collect())
        })
        .boxed()
}

/// A schema together with a value that follows it.
pub(crate) fn answered() -> impl Strategy<Value = (Spec, Value)> {
    answer().prop_flat_map(|spec| {
        let value = spec.value();
        (Just(spec), value)
    })
}

/// The answer of the Slack task: a message about food that moved.
pub(crate) fn rescue() -> AnswerForm {
    let text = json!({"type": ["string", "null"]});
    let unit = json!({"enum": ["box", "case", "lb", null]});
    let item = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"}, "quantity": {"type": ["number", "null"], "minimum": 0, "maximum": 500},
            "unit": unit, "subcategory": {"enum": ["produce", "dairy", "dry goods"]},
        },
        "required": ["name", "quantity", "unit", "subcategory"],
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "direction": {"enum": ["inbound", "outbound", "both", "unknown"]},
            "rescue_location": text, "drop_off_location": text,
            "items": {"type": "array", "items": item},
        },
        "required": ["direction", "rescue_location", "drop_off_location", "items"],
    });
    AnswerForm::Json { schema }
}
