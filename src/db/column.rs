//! How a type of ours is kept in a column, said once for both databases.

/// Keep `$type` in a column of SQL type `$sql`: as the borrowed `$inner` that `$out` gives, and back by `$back`
/// from the owned `$owned`.
macro_rules! column {
    ($type:ty: $sql:ty, $inner:ty as $owned:ty, $out:expr, $back:expr $(, $generic:ident: $bound:path)?) => {
        impl<DB: diesel::backend::Backend $(, $generic: $bound)?> diesel::serialize::ToSql<$sql, DB> for $type
        where
            $inner: diesel::serialize::ToSql<$sql, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                let get: fn(&$type) -> &$inner = $out;
                diesel::serialize::ToSql::<$sql, DB>::to_sql(get(self), out)
            }
        }

        impl<DB: diesel::backend::Backend $(, $generic: $bound)?> diesel::deserialize::FromSql<$sql, DB> for $type
        where
            $owned: diesel::deserialize::FromSql<$sql, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let back: fn($owned) -> diesel::deserialize::Result<Self> = $back;
                back(<$owned as diesel::deserialize::FromSql<$sql, DB>>::from_sql(bytes)?)
            }
        }
    };
}
pub(crate) use column;
