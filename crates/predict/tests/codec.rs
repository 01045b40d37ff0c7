//! The wire form: encoding and decoding are inverse, and decoded answers follow the schema.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, in its helpers too")]

mod common;

use common::{answered, rescue};
use graft_core::AnswerForm;
use graft_predict::{Codec, Error};
use proptest::prelude::*;
use serde_json::{Value, json};

fn codec(schema: Value) -> Codec {
    Codec::new(&AnswerForm::Json { schema }).unwrap()
}

fn property(schema: Value) -> Value {
    json!({"type": "object", "properties": {"x": schema}, "required": ["x"]})
}

#[test]
fn slack_answer_is_short_and_words_keep_leading_spaces() {
    let codec = Codec::new(&rescue()).unwrap();
    let answer = json!({
        "direction": "both", "rescue_location": "Sunny Acres", "drop_off_location": null,
        "items": [
            {"name": "toilet paper", "quantity": 12.0, "unit": "case", "subcategory": "dry goods"},
            {"name": "squash", "quantity": 1.5, "unit": null, "subcategory": "produce"},
        ],
    });
    let wire = codec.encode(&answer).unwrap();
    assert_eq!(wire, " both Sunny Acres; -| toilet paper;12 case dry goods| squash;1.5 - produce]");
    let fields = codec.fields(&wire).unwrap();
    let of =
        |path: &str| -> Vec<&str> { fields.iter().filter(|f| f.path == path).map(|f| &wire[f.start..f.end]).collect() };
    assert_eq!(of("rescue_location"), [" Sunny Acres;"]);
    assert_eq!(of("items[1].quantity"), ["1.5"]);
    assert_eq!(of("items"), ["|", "|", "]"]);
}

#[test]
fn numbers_have_one_canonical_form() {
    let codec = codec(property(json!({"type": "number"})));
    let write = |n: Value| codec.encode(&json!({"x": n}));
    assert_eq!(write(json!(12.0)).unwrap(), "12;");
    assert_eq!(write(json!(-0.0)).unwrap(), "0;");
    assert_eq!(write(json!(1e-7)).unwrap(), "0.0000001;");
    assert!(write(json!(1e300)).is_err());
    for bad in ["012;", "1.50;", "1.;", "-0;", "1e3;", "+1;", "1", ";", "-;", "1;;"] {
        assert!(codec.decode(bad).is_err(), "{bad}");
    }
}

#[test]
fn null_absent_and_similar_text_are_distinguished() {
    let schema = json!({"type": "object", "properties": {"x": {"type": ["string", "null"]}}});
    let codec = codec(schema);
    let mut seen = std::collections::BTreeSet::new();
    for answer in
        [json!({}), json!({"x": null}), json!({"x": "-"}), json!({"x": "?"}), json!({"x": ""}), json!({"x": " -"})]
    {
        let wire = codec.encode(&answer).unwrap();
        assert_eq!(codec.decode(&wire).unwrap(), answer);
        assert!(seen.insert(wire));
    }
}

#[test]
fn unsupported_schema_is_refused_by_name() {
    for (schema, named) in [
        (json!({"type": "string", "pattern": "a+"}), "`pattern`"),
        (json!({"type": "array"}), "`items`"),
        (json!({"type": "number", "multipleOf": 2}), "`multipleOf`"),
        (json!({"type": "number", "minimum": 0.5}), "`minimum`"),
        (json!({"type": "object"}), "`properties`"),
        (json!({"anyOf": [{"type": "string"}, {"type": "string"}]}), "one type"),
        (json!({"$ref": "#/properties/x"}), "recursion"),
        (json!({"$ref": "other.json"}), "other.json"),
        (json!({"type": "integer", "minimum": 3, "maximum": 2}), "range"),
        (json!({"enum": []}), "member"),
        (json!(true), "not an object"),
        (
            json!({"type": "array", "items": {"type": "array", "items": {"type": "null"}, "minItems": 99}, "minItems": 99}),
            "`minItems`",
        ),
    ] {
        let error = Codec::new(&AnswerForm::Json { schema: property(schema.clone()) }).unwrap_err();
        assert!(error.to_string().contains(named), "{schema}: {error}");
        assert!(error.to_string().contains("/properties/x"), "{error}");
    }
}

#[test]
fn error_names_the_invalid_field() {
    let codec = Codec::new(&rescue()).unwrap();
    let item = json!({"name": "milk", "quantity": 900, "unit": null, "subcategory": "dairy"});
    let answer = json!({"direction": "both", "rescue_location": null, "drop_off_location": null, "items": [item]});
    let Err(Error::Value { field, expected }) = codec.encode(&answer) else { panic!("900 is above the maximum") };
    assert_eq!((field.as_str(), expected.as_str()), ("items[0].quantity", "null or a number from 0 to 500"));
    let extra = codec.encode(&json!({"direction": "both", "why": 1})).unwrap_err();
    assert!(extra.to_string().contains("`why`"), "{extra}");
}

#[test]
fn local_references_are_resolved() {
    let place = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    let schema = json!({
        "type": "object", "properties": {"from": {"$ref": "#/$defs/place"}, "to": {"$ref": "#/$defs/place"}},
        "required": ["from", "to"], "$defs": {"place": place},
    });
    let answer = json!({"from": {"name": "farm"}, "to": {"name": "fridge"}});
    assert_eq!(codec(schema).encode(&answer).unwrap(), " farm; fridge;");
}

#[test]
fn truncated_answer_keeps_complete_values() {
    let codec = Codec::new(&rescue()).unwrap();
    let cut = " both Sunny Acres; -| milk;12 case dairy| squash;1";
    let answer = codec.decode_cut(cut).unwrap();
    assert_eq!(answer["rescue_location"], "Sunny Acres");
    assert_eq!(answer["items"].as_array().unwrap().len(), 1);
    let items = codec.fields(cut).unwrap().into_iter().rfind(|f| f.path == "items").unwrap();
    assert!(items.end > cut.len(), "the missing end of the list counts as filled in");
}

#[test]
fn labels_and_text_are_encoded_verbatim() {
    let labels = Codec::new(&AnswerForm::Label { labels: vec!["ham".into(), "spam".into()] }).unwrap();
    assert_eq!(labels.encode(&json!("ham")).unwrap(), "ham");
    assert!(labels.encode(&json!("eggs")).is_err() && labels.decode("ha").is_err());
    assert_eq!(labels.decode_cut("s").unwrap(), "spam");
    assert!(Codec::new(&AnswerForm::Label { labels: vec!["a".into(), "a".into()] }).is_err());
    let text = Codec::new(&AnswerForm::Text).unwrap();
    assert_eq!(text.decode(&text.encode(&json!("a;\nb")).unwrap()).unwrap(), "a;\nb");
}

/// Schemas of known keywords with valid and invalid values.
fn schemas() -> impl Strategy<Value = Value> {
    let types = ["string", "number", "integer", "boolean", "null", "array", "object"].map(Value::from).to_vec();
    let plain = prop_oneof![
        proptest::sample::select(types),
        (-3_i64..400).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(["string", "null"])),
        Just(json!({"type": ["integer", "null"]})),
        Just(json!("#/properties/a")),
    ];
    let keys = vec![
        "type",
        "enum",
        "const",
        "items",
        "properties",
        "required",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "anyOf",
        "oneOf",
        "$ref",
        "title",
        "pattern",
        "a",
    ];
    let any = plain.prop_recursive(4, 40, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(keys.clone()), inner), 1..3)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    });
    (any.clone(), any).prop_map(|(a, b)| json!({"type": "object", "properties": {"a": a, "b": b}, "required": ["a"]}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_answer_survives_a_round_trip((spec, value) in answered()) {
        let codec = Codec::new(&spec.form()).unwrap();
        let wire = codec.encode(&value).unwrap();
        prop_assert_eq!(codec.decode(&wire).unwrap(), value, "{}", wire);
    }

    #[test]
    fn every_prefix_of_an_answer_can_be_completed((spec, value) in answered(), share in 0.0..1.0) {
        let codec = Codec::new(&spec.form()).unwrap();
        let wire = codec.encode(&value).unwrap();
        let cut = wire.char_indices().map(|(i, _)| i).nth((share * wire.chars().count() as f64) as usize).unwrap_or(0);
        let answer = codec.decode_cut(&wire[..cut]).unwrap();
        let valid = jsonschema::validator_for(&spec.schema()).unwrap();
        prop_assert!(valid.is_valid(&answer), "{} from {:?}", answer, &wire[..cut]);
        codec.fields(&wire[..cut]).unwrap();
    }

    #[test]
    fn any_json_as_schema_is_compiled_or_refused(schema in schemas()) {
        if let Ok(codec) = Codec::new(&AnswerForm::Json { schema: schema.clone() }) {
            let answer = codec.decode_cut("").unwrap();
            // Keywords that don't apply to the type are not checked, so they may be ill-formed; such a schema has no
            // validator.
            if let Ok(valid) = jsonschema::validator_for(&schema) {
                prop_assert!(valid.is_valid(&answer), "{} for {}", answer, schema);
            }
            prop_assert_eq!(codec.decode(&codec.encode(&answer).unwrap()).unwrap(), answer);
        }
    }

    #[test]
    fn decoding_any_text_does_not_panic((spec, _) in answered(), text in "[ -?|;()\\]\\\\_a-e0-9.ntrux]{0,24}") {
        let codec = Codec::new(&spec.form()).unwrap();
        if let Ok(answer) = codec.decode(&text) {
            let valid = jsonschema::validator_for(&spec.schema()).unwrap();
            prop_assert!(valid.is_valid(&answer), "{} from {:?}", answer, text);
            prop_assert_eq!(codec.decode(&codec.encode(&answer).unwrap()).unwrap(), answer);
        }
        let _ = codec.decode_cut(&text);
    }
}
