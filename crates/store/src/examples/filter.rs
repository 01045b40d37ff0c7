//! SQL that selects the examples of a filter. `$1` to `$8` are the values bound by [`matching`].

use sqlx::any::{Any, AnyArguments};
use sqlx::query::Query;

use super::{ExampleFilter, ReviewFilter};
use crate::row;

/// Builds a statement about examples `e` and their suggestions `s` for the store's database. The databases name the
/// columns of a JSON object's members differently.
macro_rules! suggested {
    ($dialect:expr, $select:expr, { $tail:literal }) => {
        match $dialect {
            $crate::database::Dialect::Sqlite => {
                $crate::examples::filter::suggested!($select, "json_each(s.fields)", $tail)
            }
            $crate::database::Dialect::Postgres => {
                $crate::examples::filter::suggested!($select, "json_each_text(cast(s.fields as json))", $tail)
            }
        }
    };
    ($select:expr, $members:literal, $tail:literal) => {
        concat!(
            $select,
            "left join suggestions s on s.task = e.task and s.example = e.id and s.revision = e.revision
             where ($1 is null or e.task = $1)
               and ($2 is null or e.review = $2 or ($2 = 'audited' and e.review <> 'pending'))
               and ($3 is null or e.source_kind = $3) and ($4 is null or e.folded like $4 escape '\\')
               and ($5 is null or e.reviewed_by = $5)
               and ($6 is not null or (($7 < 0.0 or s.confidence >= $7) and ($8 > 1.0 or s.confidence < $8)))
               and ($6 is null or exists (select 1 from ",
            $members,
            " m where lower('.' || replace(replace(m.key, '[', '.'), ']', '') || '.') like $6 escape '\\'
                 and cast(m.value as double precision) >= $7 and cast(m.value as double precision) < $8)) ",
            $tail
        )
    };
}

pub(super) use suggested;

/// A query from a statement of [`suggested`] with its first eight values bound.
pub(super) fn matching(sql: &'static str, filter: &ExampleFilter) -> Query<'static, Any, AnyArguments> {
    let holding = |text: &String| format!("%{}%", literal(text));
    // Numbers stand for "any", because sqlx's Any driver gives an absent float another Postgres type than a present
    // one.
    sqlx::query(sql)
        .bind(filter.task.clone())
        .bind(filter.review.map(ReviewFilter::name))
        .bind(filter.source.clone())
        .bind(filter.search.as_ref().map(holding))
        .bind(filter.by.clone())
        .bind(filter.field.as_ref().map(|field| format!("%.{}.%", literal(field))))
        .bind(filter.min_confidence.unwrap_or(-1.0))
        .bind(filter.max_confidence.unwrap_or(2.0))
}

/// Escapes a text for a LIKE pattern, in lower case.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for c in row::text(text).to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
