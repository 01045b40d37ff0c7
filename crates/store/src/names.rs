/// Like [`graft_core::names`], for enums that are columns of the database and parsed on the command line.
macro_rules! names {
    ($(#[$meta:meta])* pub enum $set:ident { $($(#[$note:meta])* $value:ident = $name:tt,)* }) => {
        graft_core::names! {
            $(#[$meta])*
            pub enum $set { $($(#[$note])* $value = $name,)* }
        }

        $crate::row::converted!(|stored: String| stored.parse::<Self>(), $set);
        $crate::statement::parameter!(&'static str: |value: Self| value.name(), $set);

        impl std::str::FromStr for $set {
            type Err = $crate::Error;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::named(name).ok_or_else(|| $crate::Error::UnknownName {
                    set: stringify!($set),
                    name: name.to_owned(),
                    known: [$($name,)*].join(", "),
                })
            }
        }
    };
}
