"""The readable reference of the API, as Markdown for the repository and as one HTML page for the server."""
import html
import re

import openapi

CREDENTIALS = {"BF_CREDENTIAL_KEY": "API key", "BF_CREDENTIAL_TOKEN": "client token", "BF_CREDENTIAL_NONE": "none"}
EXAMPLES = {
    "liveness": ["curl -H \"Authorization: Bearer $KEY\" \\",
                 "     -F image=@selfie.jpg -F reference=@portrait.jpg -F flow_type=account_opening \\",
                 "     $SERVER/v1/liveness"],
    "match": ["curl -H \"Authorization: Bearer $KEY\" -F image=@a.jpg -F reference=@b.jpg $SERVER/v1/match"],
    "session_create": ["curl -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' \\",
                       "     -d '{\"flow_type\": \"account_opening\", \"channel\": \"mobile_web\"}' \\",
                       "     $SERVER/v1/sessions"],
    "session_attempt": ["curl -H \"Authorization: Bearer $TOKEN\" -F image=@selfie.jpg "
                        "$SERVER/v1/sessions/$ID/attempts"],
    "session_get": ["curl -H \"Authorization: Bearer $KEY\" $SERVER/v1/sessions/$ID"],
    "session_reference": ["curl -H \"Authorization: Bearer $KEY\" -F reference=@portrait.jpg "
                          "$SERVER/v1/sessions/$ID/reference"],
    "session_erase": ["curl -X DELETE -H \"Authorization: Bearer $KEY\" $SERVER/v1/sessions/$ID"],
    "session_media": ["curl -H \"Authorization: Bearer $REVIEWER_KEY\" -o attempt-1.jpg \\",
                      "     \"$SERVER/v1/sessions/$ID/media?name=attempt-1\""],
    "decision_erase": ["curl -X DELETE -H \"Authorization: Bearer $KEY\" $SERVER/v1/decisions/$REQUEST_ID"],
    "decision_get": ["curl -H \"Authorization: Bearer $KEY\" $SERVER/v1/decisions/$REQUEST_ID"],
    "audit_checkpoint": ["curl -H \"Authorization: Bearer $AUDITOR_KEY\" $SERVER/v1/audit/checkpoint?since=1000"],
    "audit_proof": ["curl -H \"Authorization: Bearer $AUDITOR_KEY\" $SERVER/v1/audit/proof/1000"],
}


def plain(text):
    return " ".join((text or "").split())


def kind(spec, node):
    """A schema in a few words."""
    node = openapi.resolve(spec, node)
    if node.get("$ref") == openapi.RECORD:
        return "record"
    if "const" in node:
        return f"`{str(node['const']).lower()}`"
    if "enum" in node:
        return " \\| ".join(f"`{word}`" for word in node["enum"])
    for several in ("oneOf", "anyOf"):
        if several in node:
            return " or ".join(kind(spec, one) for one in node[several])
    told = node.get("type", "anything")
    if isinstance(told, list):
        return " or ".join(told)
    if node.get("x-media"):
        return "picture"
    if told == "array":
        most = f", at most {node['maxItems']}" if "maxItems" in node else ""
        return f"list of {kind(spec, node['items'])}{most}"
    if told == "string":
        return "time" if node.get("format") == "date-time" else string_kind(node)
    if told in ("integer", "number") and "minimum" in node:
        return f"{told} {node['minimum']} to {node['maximum']}" if "maximum" in node \
            else f"{told} from {node['minimum']}"
    return told


def string_kind(node):
    if node.get("contentEncoding") == "base64":
        return "base64"
    least, most = node.get("minLength", 0), node.get("maxLength")
    of = f" of `{node['pattern'][2:-3]}`" if "pattern" in node else ""
    if not most:
        return "string" + of
    return f"string of {least} to {most} characters{of}" if least else f"string of at most {most} characters{of}"


def fields(spec, node, prefix=""):
    """(name with dots, kind, whether required, text) of every field, nested ones after their parent."""
    node = openapi.resolve(spec, node)
    for several in ("oneOf", "anyOf"):
        for one in node.get(several, []):
            if openapi.resolve(spec, one).get("type") == "object":
                yield from fields(spec, one, prefix)
    if node.get("type") == "array":
        yield from fields(spec, node["items"], prefix.rstrip(".") + "[].")
    for name, value in node.get("properties", {}).items():
        whole = openapi.resolve(spec, value)
        yield prefix + name, kind(spec, value), name in node.get("required", []), plain(whole.get("description"))
        yield from fields(spec, value, f"{prefix}{name}.")


def answers(spec, operation):
    """(status, text, schema or None)"""
    for status, given in operation["responses"].items():
        given = openapi.resolve(spec, given)
        content = given.get("content", {})
        schema = next(iter(content.values()))["schema"] if content else None
        yield status, plain(given["description"]), schema


def name_of(schema):
    return schema["$ref"].rsplit("/", 1)[1] if schema and schema.get("$ref", "").startswith("#/") else None


def blocks(spec, errors):
    """The page as a list of (kind, content): the one thing that both renderings are made of."""
    yield "h1", "The API"
    for part in spec["info"]["description"].strip().split("\n\n"):
        yield "p", plain(part)
    yield "p", ("Requests carry `Authorization: Bearer ...`: an API key (made by `bonafide keys create`), or for one "
                "capture the client token of its session. Bodies are JSON, with pictures in base64, or "
                "`multipart/form-data` with pictures as files and objects as JSON text. Every answer has "
                "`X-Request-ID`.")
    yield from header_blocks(spec)
    seen = set()
    for tag in spec["tags"]:
        yield "h2", tag["name"].capitalize()
        yield "p", tag["description"]
        for path, method, operation, parameters in openapi.operations(spec):
            if tag["name"] in operation["tags"]:
                yield from operation_blocks(spec, path, method, operation, parameters, seen)
    yield "h2", "Errors"
    yield "p", "An answer with `\"status\": \"error\"` and without a record has this form. Nothing was decided."
    yield from table_of(spec, {"$ref": "#/components/schemas/ErrorAnswer"})
    yield "table", (("Code", "HTTP", "Try again", "Meaning"),
                    [(f"`{e['name']}`", str(e["http"]), "yes" if e["retryable"] else "no", e["text"])
                     for e in errors if e["name"] != "OK"])


def header_blocks(spec):
    yield "h2", "Headers"
    rows = [(f"`{one['name']}`", plain(one["description"])) for one in spec["components"]["parameters"].values()
            if one["in"] == "header"]
    yield "table", (("Header", "Meaning"), rows)


def operation_blocks(spec, path, method, operation, parameters, seen):
    yield "h3", f"{operation['summary']}"
    yield "route", f"{method.upper()} {path}"
    credential = CREDENTIALS[openapi.security(spec, operation)]
    roles = ", ".join(operation["x-roles"])
    yield "p", f"Credential: {credential}" + (f" of the role {roles}." if roles and credential == "API key" else ".")
    for part in operation.get("description", "").strip().split("\n\n"):
        if part:
            yield "p", plain(part)
    if operation["operationId"] in EXAMPLES:
        yield "code", "\n".join(EXAMPLES[operation["operationId"]])
    rows = [(f"`{one['name']}`", one["in"], kind(spec, one["schema"]), plain(one["description"]))
            for one in parameters if one["in"] != "header"]
    if rows:
        yield "table", (("Parameter", "In", "Kind", "Meaning"), rows)
    if "requestBody" in operation:
        yield from table_of(spec, operation["requestBody"]["content"]["application/json"]["schema"], "Request field")
    for status, text, schema in answers(spec, operation):
        if status == "default":
            continue
        name = name_of(schema)
        yield "p", f"**{status}**: {text}" + (f" ({name}, described above.)" if name in seen and name else "")
        if name and name not in seen:
            seen.add(name)
            yield from table_of(spec, schema, "Answer field")


def table_of(spec, schema, first="Field"):
    rows = [(f"`{name}`", words, "yes" if required else "", text)
            for name, words, required, text in fields(spec, schema)]
    if rows:
        yield "table", ((first, "Kind", "Always", "Meaning") if first != "Request field"
                        else (first, "Kind", "Required", "Meaning"), rows)


def markdown(spec, errors):
    out = []
    for what, content in blocks(spec, errors):
        if what in ("h1", "h2", "h3"):
            out.append("#" * int(what[1]) + " " + content)
            if what == "h1":
                out.append("Generated from `api/openapi.yaml` by `api/generate.py`. A server shows this page under "
                           "`/docs` and the description under `/openapi.json`.")
        elif what == "route":
            out.append(f"`{content}`")
        elif what == "code":
            out.append(f"```sh\n{content}\n```")
        elif what == "table":
            head, rows = content
            out.append("\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
                                  *("| " + " | ".join(row) + " |" for row in rows)]))
        else:
            out.append(content)
    return "\n\n".join(out) + "\n"


STYLE = """
:root { color-scheme: light dark; --text: #1c2024; --soft: #60646c; --line: #d9d9e0; --paper: #fff; --code: #f3f4f6;
  --accent: #0b6b50; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --soft: #a0a5ad; --line: #34383f; --paper: #14171a;
  --code: #1e2227; --accent: #5fd3ae; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.page { display: grid; grid-template-columns: 15rem minmax(0, 54rem); gap: 3rem; justify-content: center;
  padding: 0 1.5rem 6rem; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 2.4rem 0;
  font-size: .9rem; }
nav a { display: block; padding: .18rem 0; color: var(--soft); text-decoration: none; }
nav a.part { margin-top: 1rem; color: var(--text); font-weight: 600; }
nav a:hover, nav a:focus { color: var(--accent); }
main { min-width: 0; }
h1 { font-size: 2rem; margin: 2.2rem 0 1rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2.4rem 0 .5rem; }
p { margin: .6rem 0; }
code, pre { font: .87em/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; background: var(--code);
  border-radius: 4px; }
code { padding: .1em .3em; overflow-wrap: anywhere; }
td:first-child code { overflow-wrap: normal; white-space: nowrap; }
pre { padding: .8rem 1rem; overflow-x: auto; }
pre code { padding: 0; overflow-wrap: normal; }
.route { font: 600 .95rem/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; color: var(--accent); }
td:first-child code { white-space: nowrap; }
.wide { overflow-x: auto; margin: .9rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { padding: .42rem .9rem .42rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
@media (max-width: 60rem) { .page { display: block; } nav { position: static; max-height: none; padding-bottom: 0; } }
"""


def inline(text):
    text = html.escape(text.replace("\\|", "|"), quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", text)


def html_table(head, rows):
    out = ["<div class=\"wide\"><table><thead><tr>" + "".join(f"<th scope=\"col\">{cell}</th>" for cell in head)
           + "</tr></thead><tbody>"]
    out += ["<tr>" + "".join(f"<td>{inline(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "\n".join(out) + "</tbody></table></div>"


def page(spec, errors):
    links, out = [], []
    for what, content in blocks(spec, errors):
        if what in ("h1", "h2", "h3"):
            anchor = re.sub(r"[^a-z0-9]+", "-", content.lower()).strip("-")
            out.append(f"<{what} id=\"{anchor}\">{inline(content)}</{what}>")
            links.append(f"<a{'' if what == 'h3' else ' class=part'} href=\"#{anchor}\">{inline(content)}</a>")
        elif what == "route":
            out.append(f"<p class=\"route\">{inline(content)}</p>")
        elif what == "code":
            out.append(f"<pre><code>{html.escape(content)}</code></pre>")
        elif what == "table":
            out.append(html_table(*content))
        else:
            out.append(f"<p>{inline(content)}</p>")
    return "\n".join(["<!doctype html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
                      f"<title>bonafide {spec['info']['version']}: the API</title>", f"<style>{STYLE}</style>",
                      "</head>", "<body>", "<div class=\"page\">", "<nav aria-label=\"Contents\">", *links, "</nav>",
                      "<main>",
                      *out, "</main>", "</div>", "</body>", "</html>", ""])
