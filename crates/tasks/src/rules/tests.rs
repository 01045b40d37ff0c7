use proptest::prelude::*;
use serde_json::json;

use super::*;

fn labels() -> Task {
    let labels = vec!["ham".to_owned(), "spam".to_owned()];
    Task { instruction: "Classify.".into(), labels, closed: true, ..Task::blank("mail", Form::Labels) }
}

fn invoices() -> Task {
    let schema = json!({"type": "object", "required": ["number", "total", "lines"], "properties": {
        "number": {"type": "string"},
        "total": {"type": ["number", "null"]},
        "paid": {"type": ["boolean", "null"]},
        "currency": {"enum": ["EUR", "USD", null]},
        "ship to": {"type": ["string", "null"]},
        "vendor": {"type": "object", "properties": {"city": {"type": ["string", "null"]}}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "lines": {"type": "array", "items": {"type": "object", "required": ["name", "quantity"], "properties": {
            "name": {"type": "string"}, "quantity": {"type": "integer"}, "unit": {"enum": ["box", "bag", null]}}}},
    }});
    Task { instruction: "Extract.".into(), schema: Some(schema), ..Task::blank("invoices", Form::Fields) }
}

fn rule(pattern: &str) -> Rule {
    Rule { pattern: pattern.into(), ..Rule::default() }
}

fn spam(pattern: &str) -> Rule {
    Rule { label: Some("spam".into()), ..rule(pattern) }
}

fn set(rules: Vec<Rule>) -> RuleSet {
    RuleSet { rules, ..RuleSet::default() }
}

fn line(pattern: &str) -> Rule {
    Rule { list: Some("lines".into()), ..rule(pattern) }
}

#[test]
fn the_first_rule_that_matches_gives_the_label() {
    let spec = RuleSet { otherwise: Some(json!("ham")), ..set(vec![spam("(?i)free prize"), spam("viagra")]) };
    let rules = Rules::new(&spec, &labels()).unwrap();
    assert_eq!(rules.read("A FREE prize"), Reading { answer: Ok(json!("spam")), used: vec![0] });
    assert_eq!(rules.read("viagra"), Reading { answer: Ok(json!("spam")), used: vec![1] });
    assert_eq!(rules.read("see you"), Reading { answer: Ok(json!("ham")), used: vec![] });
}

#[test]
fn matches_that_give_no_item_are_read_up_to_a_limit() {
    // No letter is a number, so none of these matches gives an item.
    let spec = set(vec![line(r"(?<quantity>\w) (?<name>\w+)")]);
    let rules = Rules::new(&RuleSet { otherwise: Some(json!({"number": "7"})), ..spec }, &invoices()).unwrap();
    let lines = |useless: usize| {
        let read = rules.read(&format!("{}3 kale", "x y\n".repeat(useless))).answer.unwrap_or_default();
        read["lines"].as_array().map(Vec::len)
    };
    assert_eq!((lines(MOST_MATCHES - 1), lines(MOST_MATCHES)), (Some(1), Some(0)));
}

#[test]
fn groups_become_fields_by_tables_of_aliases_and_units() {
    let tables = |path: &str, entries: Value| (path.to_owned(), serde_json::from_value(entries).unwrap());
    let mut spec = set(vec![
        rule(r"Invoice (?<number>\S+)(?: of (?<vendor.city>\w+))?"),
        rule(r"(?i)total:?\s*(?<total>[\d.,]+\s*(?:k|cents)?)\b"),
        rule(r"(?<total>\d+) in all"),
        rule(r"in (?<currency>\w+)"),
        Rule { set: json!({"paid": true}).as_object().unwrap().clone(), ..rule("(?i)thanks for paying") },
        rule(r"to (?<ship_to>[A-Z]\w+)"),
        line(r"(?<quantity>\w+) (?<unit>\w+) of (?<name>\w+)"),
        line(r"(?<quantity>\d+) (?<name>[a-z]{3,})"),
        Rule { list: Some("tags".into()), ..rule(r"#(?<value>\w+)") },
    ]);
    spec.aliases.extend([
        tables("lines.unit", json!({"Boxes": "box", "bags": "bag"})),
        tables("lines.quantity", json!({"a dozen": 12, "two": 2})),
        tables("currency", json!({"euros": "EUR"})),
    ]);
    spec.units.extend([("total".to_owned(), [("k".to_owned(), 1000.0), ("cents".to_owned(), 0.01)].into())]);
    let rules = Rules::new(&spec, &invoices()).unwrap();
    let text =
        "Invoice R-7 of Bonn, total: 1.5 k in euros. two boxes of kale, 3 figs to Rome #new #big. Thanks for paying";
    let found = rules.read(text);
    assert_eq!(
        found.answer.unwrap(),
        json!({"number": "R-7", "total": 1500, "paid": true, "currency": "EUR", "ship to": "Rome", "vendor": {"city": "Bonn"},
            "tags": ["new", "big"], "lines": [{"name": "kale", "quantity": 2, "unit": "box"},
                {"name": "figs", "quantity": 3, "unit": null}]})
    );
    assert_eq!(found.used, [0, 1, 3, 4, 5, 6, 7, 8]);
    // A number with an unknown unit is no value, so a later rule gives it; what is demanded and missing is named.
    let found = rules.read("Invoice 8 total: 40 cents, 9 in all");
    assert_eq!(found.answer.unwrap()["total"], json!(0.4));
    assert_eq!(rules.read("12 in all").answer.unwrap_err(), "no rule fits: the answer lacks `number`");
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let rules = Rules::new(&set(vec![rule("(?<number>x)?(?<total>.+)")]), &invoices());
    let cases = [
        ("1,234.50", json!(1234.5)),
        ("1.234,50 EUR", json!(1234.5)),
        ("€ 1 234,50", json!(1234.5)),
        ("1,234", json!(1234)),
        ("1,5", json!(1.5)),
        ("-3", json!(-3)),
        ("2.500.000", json!(2_500_000)),
        ("12 34", Value::Null),
        ("none", Value::Null),
    ];
    let rules = rules.unwrap();
    for (text, number) in cases {
        let read = rules.read(&format!("x{text}")).answer.unwrap();
        assert_eq!(read["total"], number, "{text}");
    }
}

#[test]
fn what_can_not_work_is_named() {
    let wrong = |spec: &RuleSet, task: &Task| {
        let BadRules { field, reason } = Rules::new(spec, task).unwrap_err();
        format!("{field}: {reason}")
    };
    let fields = |rule: Rule| wrong(&set(vec![rule]), &invoices());
    assert_eq!(fields(rule("(")), "rules[0].pattern: unclosed group");
    assert_eq!(fields(rule("(?<sum>x)")), "rules[0].pattern: the schema has no single field for the group `sum`");
    assert_eq!(fields(rule("(?<lines>x)")), "rules[0].pattern: the schema has no single field for the group `lines`");
    assert!(fields(rule("x")).contains("no named group"));
    assert!(fields(rule(r"(?<number>\w{1000}{1000})")).contains("512 KiB"));
    assert!(fields(rule(&"a".repeat(3000))).contains("2000"));
    assert!(fields(spam("x")).contains("no labels"));
    assert!(fields(line("(?<value>x)")).contains("value"));
    assert!(fields(Rule { list: Some("number".into()), ..rule("x") }).contains("no list"));
    let odd = json!({"paid": "maybe"}).as_object().unwrap().clone();
    assert!(fields(Rule { set: odd, ..rule("x") }).starts_with("rules[0].set.paid: "));
    assert!(wrong(&set(vec![spam("x")]), &labels()).starts_with("otherwise: "));
    let ham = |rules| RuleSet { otherwise: Some(json!("ham")), ..set(rules) };
    assert!(wrong(&ham(vec![rule("x")]), &labels()).contains("no label"));
    assert!(wrong(&ham(vec![]), &labels()).starts_with("rules: there are 0"));
    assert!(wrong(&ham(vec![spam("x"); 101]), &labels()).starts_with("rules: there are 101"));
    assert!(wrong(&ham(vec![spam("x")]), &Task::blank("t", Form::Text)).starts_with("kind: "));
    let mut tables = set(vec![rule("(?<number>x)")]);
    tables.units.insert("number".into(), [("k".into(), 2.0)].into());
    assert!(wrong(&tables, &invoices()).starts_with("units.number: "));
}

proptest! {
    #[test]
    fn any_pattern_and_text_never_panic(pattern in any::<Vec<u8>>(), text in ".*", number in "[0-9.,' a-z-]{0,12}") {
        let pattern = String::from_utf8_lossy(&pattern).into_owned();
        let spec = RuleSet { otherwise: Some(json!("ham")), ..set(vec![spam(&pattern)]) };
        if let Ok(rules) = Rules::new(&spec, &labels()) {
            prop_assert!(rules.read(&text).answer.is_ok());
        }
        let spec = set(vec![rule(&format!("(?<number>{pattern})")), rule("(?<total>.+)"), line(&format!("(?<quantity>.)(?<name>.){pattern}"))]);
        if let Ok(rules) = Rules::new(&spec, &invoices()) {
            for text in [&text, &number] {
                if let Ok(answer) = rules.read(text).answer {
                    prop_assert_eq!(invoices().accept(&answer), Ok(answer.clone()));
                }
            }
        }
    }

    #[test]
    fn patterns_of_regex_syntax_never_panic(pattern in r"[a-c(){}\[\]|*+?.^$\\dwps<>:,0-9&~-]{0,40}", text in ".{0,200}") {
        let spec = RuleSet { otherwise: Some(json!("ham")), ..set(vec![spam(&pattern)]) };
        if let Ok(rules) = Rules::new(&spec, &labels()) {
            prop_assert!(rules.read(&text).answer.is_ok());
        }
    }
}
