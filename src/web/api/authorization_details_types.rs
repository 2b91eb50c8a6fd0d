//! `/api/authorization-details-types`: what can be allowed about named things, for managers.

use std::collections::BTreeMap;

use actix_web::web::{self, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Code, Error, parse};
use crate::domain::authorization_details::{Definition, DetailsType, Unfit};
use crate::domain::resource::Catalogue;
use crate::web::doors::{Manager, ReadPolicies, WritePolicies};
use crate::web::openapi::{NoContent, Operation, Put};

/// A type as it is told, and as it may be sent back.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AuthorizationDetailsType")]
pub struct TypeBody {
    /// The same as in the path, if it is said.
    #[serde(rename = "type")]
    name: Option<String>,
    /// The URI of the resource server that the details are for.
    resource: String,
    /// What the type is for, to who is asked to allow it.
    description: String,
    /// Each action with its sentence.
    #[serde(default)]
    actions: BTreeMap<String, String>,
    /// A JSON Schema of the further members.
    #[serde(default)]
    schema: Map<String, Value>,
    /// When it was registered. It is told, and not looked at where it is sent back.
    created_at: Option<i64>,
}

pub const LIST: Operation = Operation::new(
    "listAuthorizationDetailsTypes",
    "List all types of authorization details",
);
/// All types, by resource server and name.
pub async fn list(by: Manager<ReadPolicies>) -> Result<Json<Vec<TypeBody>>, Error> {
    let catalogue = by.app.query(|rx| Catalogue::load(rx)).await?;
    Ok(Json(catalogue.details_types().map(TypeBody::of).collect()))
}

pub const SHOW: Operation = Operation::new(
    "getAuthorizationDetailsType",
    "Show a type of authorization details",
);
/// One type.
pub async fn show(
    by: Manager<ReadPolicies>,
    name: web::Path<String>,
) -> Result<Json<TypeBody>, Error> {
    let catalogue = by.app.query(|rx| Catalogue::load(rx)).await?;
    let found = catalogue.details_type(&name).ok_or_else(unknown)?;
    Ok(Json(TypeBody::of(found)))
}

pub const PUT: Operation = Operation::new(
    "putAuthorizationDetailsType",
    "Register a type of authorization details, or put it in the place of the one there is",
)
.takes::<TypeBody>()
.refuses(&[
    Code::DetailsTypeNameInvalid,
    Code::DetailsTypeResourceUnknown,
    Code::DetailsTypeDescriptionInvalid,
    Code::DetailsTypeActionInvalid,
    Code::DetailsTypeTooLong,
    Code::DetailsTypeSchemaInvalid,
]);
/// Register a type, or put it in the place of the one there is.
pub async fn put(
    by: Manager<WritePolicies>,
    name: web::Path<String>,
) -> Result<Put<TypeBody>, Error> {
    let body: TypeBody = parse(&by.body)?;
    let mut definition = body.read(name.into_inner())?;
    let (body, is_new) = by
        .write(move |tx| {
            let is_new = definition.put(tx)?;
            let catalogue = Catalogue::load(tx)?;
            let kept = catalogue.details_type(&definition.name);
            Ok((kept.map(TypeBody::of).ok_or_else(unknown)?, is_new))
        })
        .await?;
    Ok(Put { body, is_new })
}

pub const REMOVE: Operation = Operation::new(
    "removeAuthorizationDetailsType",
    "Remove a type of authorization details: nothing is allowed by it any more",
);
/// Remove a type: nothing is allowed by it any more.
pub async fn remove(
    by: Manager<WritePolicies>,
    name: web::Path<String>,
) -> Result<NoContent, Error> {
    let removed = by
        .write(move |tx| Ok(DetailsType::remove(tx, &name)?))
        .await?;
    match removed {
        true => Ok(NoContent),
        false => Err(unknown()),
    }
}

impl TypeBody {
    fn of(found: &DetailsType) -> Self {
        let definition = found.definition.clone();
        Self {
            name: Some(definition.name),
            resource: definition.resource,
            description: definition.description,
            actions: definition.actions,
            schema: definition.schema,
            created_at: Some(found.created_at.millis()),
        }
    }

    fn read(self, name: String) -> Result<Definition, Error> {
        if self.name.is_some_and(|other| other != name) {
            return Err(Error::malformed(
                "The type in the body is not that in the path.",
            ));
        }
        Ok(Definition {
            name,
            resource: self.resource,
            description: self.description,
            actions: self.actions,
            schema: self.schema,
        })
    }
}

fn unknown() -> Error {
    Error::not_found("authorization details type")
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        let message = unfit.to_string();
        match unfit {
            Unfit::Fault(fault) => fault.into(),
            Unfit::Name(_) => Self::new(Code::DetailsTypeNameInvalid, message),
            Unfit::Resource(_) => Self::new(Code::DetailsTypeResourceUnknown, message),
            Unfit::Description => Self::new(Code::DetailsTypeDescriptionInvalid, message),
            Unfit::Action(_) => Self::new(Code::DetailsTypeActionInvalid, message),
            Unfit::TooLong => Self::new(Code::DetailsTypeTooLong, message),
            Unfit::Schema(_) => Self::new(Code::DetailsTypeSchemaInvalid, message),
        }
    }
}
