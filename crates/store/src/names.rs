/// Declares an enum whose values have names, used in SQL, JSON and on the command line.
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
        }

        $crate::row::converted!(|stored: String| stored.parse::<Self>(), $set);
        $crate::statement::parameter!(&'static str: |value: Self| value.name(), $set);

        impl std::str::FromStr for $set {
            type Err = $crate::Error;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.name() == name).ok_or_else(|| $crate::Error::UnknownName {
                    set: stringify!($set),
                    name: name.to_owned(),
                    known: [$($name,)*].join(", "),
                })
            }
        }
    };
}
