//! The parts of the OpenAPI description that all operations share: errors and the format of paths.

use std::mem::take;

use utoipa::openapi::{
    Content, KnownFormat, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder, SchemaFormat, Type,
    path::Operation,
};

/// Name, media type and schema of the errors of the API, and of those under `/v1`.
const ERRORS: [(&str, &str, &str); 2] =
    [("Problem", "application/problem+json", "Problem"), ("OpenAiError", "application/json", "OpenAiError")];

/// What utoipa calls our alias `Timestamp`: it names an alias by what it stands for.
const ALIAS: &str = "i64";

/// The description as JSON, indented, with a line's end.
pub(crate) fn json(api: &OpenApi) -> serde_json::Result<String> {
    let reference = |name: &str| format!("\"#/components/schemas/{name}\"");
    Ok(api.to_pretty_json()?.replace(&reference(ALIAS), &reference("Timestamp")) + "\n")
}

/// A description with what its operations have in common.
pub(crate) fn whole(mut api: OpenApi) -> OpenApi {
    let components = api.components.get_or_insert_default();
    let time =
        ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
    let time = time.description(Some("Milliseconds since the Unix epoch."));
    components.schemas.remove(ALIAS);
    components.schemas.insert("Timestamp".to_owned(), time.into());
    for (name, media, schema) in ERRORS {
        let content = Content::new(Some(Ref::from_schema_name(schema)));
        let error = ResponseBuilder::new().description("Any error.").content(media, content).build();
        components.responses.insert(name.to_owned(), error.into());
    }
    let paths = take(&mut api.paths.paths).into_iter().map(|(path, mut item)| {
        let error = &ERRORS[usize::from(path.starts_with("/v1/"))];
        operations(&mut item).for_each(|operation| complete(operation, error));
        // The router's mark of a parameter that takes the rest of the path.
        (path.replace("{*", "{"), item)
    });
    api.paths.paths = paths.collect();
    api
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

/// Gives each error that an operation names its form, and names the others as its default.
fn complete(operation: &mut Operation, (name, media, schema): &(&str, &str, &str)) {
    let responses = &mut operation.responses.responses;
    for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
        if let RefOr::T(response) = response {
            let content = Content::new(Some(Ref::from_schema_name(*schema)));
            response.content = [((*media).to_owned(), RefOr::T(content))].into_iter().collect();
        }
    }
    responses.insert("default".to_owned(), Ref::from_response_name(*name).into());
}
