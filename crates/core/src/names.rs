/// Declares an enum whose values have names, used in JSON, in SQL and on the command line.
#[macro_export]
macro_rules! names {
    ($(#[$meta:meta])* pub enum $set:ident { $($(#[$note:meta])* $value:ident = $name:tt,)* }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$meta])*
        pub enum $set { $($(#[$note])* #[serde(rename = $name)] $value,)* }

        impl $set {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];

            /// The name, as stored and printed.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$value => $name,)* }
            }

            /// The value with this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    };
}
