//! Statements with their parameters.

use graft_core::Digest;
use serde_json::Value;
use sqlx::any::{Any, AnyArguments, AnyExecutor, AnyRow};
use sqlx::{Arguments as _, Column as _, Encode, FromRow, Row as _, SqlSafeStr, Type};

use crate::Error;
use crate::database::Tx;
use crate::row::Column;

/// A value of a parameter.
pub(crate) trait Parameter {
    /// What the database stores: a text, an integer or a number.
    type Stored: Encode<'static, Any> + Type<Any>;

    /// As it is stored.
    fn stored(self) -> Self::Stored;
}

/// Types of parameters and how they are stored.
macro_rules! parameter {
    ($stored:ty: $convert:expr, $($type:ty)*) => {$(
        impl $crate::statement::Parameter for $type {
            type Stored = $stored;

            fn stored(self) -> Self::Stored {
                let convert = $convert;
                convert(self)
            }
        }
    )*};
}
pub(crate) use parameter;

parameter!(String: |text: Self| text, String);
parameter!(String: |text: Self| text.to_owned(), &str &String);
parameter!(String: |digest: Self| digest.as_str().to_owned(), &Digest);
parameter!(String: |value: Self| value.to_string(), &Value);
parameter!(f64: |number: Self| number, f64);
parameter!(i64: i64::from, i64 i32 u32 u16 bool);
// Counts: none reaches the largest integer of SQL.
parameter!(i64: |count: Self| i64::try_from(count).unwrap_or(i64::MAX), u64 usize);

impl<T: Parameter> Parameter for Option<T>
where
    Option<T::Stored>: Encode<'static, Any> + Type<Any>,
{
    type Stored = Option<T::Stored>;

    fn stored(self) -> Self::Stored {
        self.map(T::stored)
    }
}

/// The parameters of a statement, in order: none, one, or a tuple.
pub(crate) trait Parameters {
    fn arguments(self) -> Result<AnyArguments, sqlx::Error>;
}

impl<T: Parameter> Parameters for T {
    fn arguments(self) -> Result<AnyArguments, sqlx::Error> {
        let mut arguments = AnyArguments::default();
        arguments.add(self.stored()).map_err(sqlx::Error::Encode)?;
        Ok(arguments)
    }
}

impl Parameters for () {
    fn arguments(self) -> Result<AnyArguments, sqlx::Error> {
        Ok(AnyArguments::default())
    }
}

macro_rules! tuples {
    ($last:ident) => {};
    ($first:ident $($rest:ident)+) => {
        impl<$first: Parameter, $($rest: Parameter),+> Parameters for ($first, $($rest),+) {
            #[expect(non_snake_case, reason = "a type and its value have one name")]
            fn arguments(self) -> Result<AnyArguments, sqlx::Error> {
                let ($first, $($rest),+) = self;
                let mut arguments = $first.arguments()?;
                $(arguments.add($rest.stored()).map_err(sqlx::Error::Encode)?;)+
                Ok(arguments)
            }
        }
        tuples!($($rest)+);
    };
}
tuples!(A B C D E F G H I J K L M N O P Q R);

impl Tx<'_> {
    /// Executes a statement and returns the number of rows that it changed.
    pub(crate) async fn execute(&mut self, sql: impl SqlSafeStr, parameters: impl Parameters) -> Result<u64, Error> {
        let query = sqlx::query_with(sql, parameters.arguments()?);
        Ok(query.execute(&mut **self).await?.rows_affected())
    }
}

/// All rows of a query.
pub(crate) async fn all<T>(
    on: impl AnyExecutor<'_>,
    sql: impl SqlSafeStr,
    parameters: impl Parameters,
) -> Result<Vec<T>, Error>
where
    T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
{
    Ok(sqlx::query_as_with(sql, parameters.arguments()?).fetch_all(on).await?)
}

/// The first row of a query, if there is one.
pub(crate) async fn optional<T>(
    on: impl AnyExecutor<'_>,
    sql: impl SqlSafeStr,
    parameters: impl Parameters,
) -> Result<Option<T>, Error>
where
    T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
{
    Ok(sqlx::query_as_with(sql, parameters.arguments()?).fetch_optional(on).await?)
}

/// The only row of a query.
pub(crate) async fn one<T>(
    on: impl AnyExecutor<'_>,
    sql: impl SqlSafeStr,
    parameters: impl Parameters,
) -> Result<T, Error>
where
    T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
{
    Ok(sqlx::query_as_with(sql, parameters.arguments()?).fetch_one(on).await?)
}

/// A row of one column.
struct Only<T>(T);

impl<T: Column> FromRow<'_, AnyRow> for Only<T> {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        T::read(row, row.column(0).name()).map(Self)
    }
}

/// The only column of all rows of a query.
pub(crate) async fn values<T: Column + Send + Unpin>(
    on: impl AnyExecutor<'_>,
    sql: impl SqlSafeStr,
    parameters: impl Parameters,
) -> Result<Vec<T>, Error> {
    let rows: Vec<Only<T>> = all(on, sql, parameters).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// The only column of the first row of a query, if there is one.
pub(crate) async fn value<T: Column + Send + Unpin>(
    on: impl AnyExecutor<'_>,
    sql: impl SqlSafeStr,
    parameters: impl Parameters,
) -> Result<Option<T>, Error> {
    Ok(optional(on, sql, parameters).await?.map(|row: Only<T>| row.0))
}
