"""api/openapi.yaml as the server needs it: tables of routes and schemas for C, and the description as one JSON."""
import hashlib
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHODS = ("get", "post", "delete")
ROLES = ("integrator", "reviewer", "auditor", "operator", "person")
RECORD = "record.schema.json"
LINE_COLUMNS = 116


def load():
    spec = yaml.safe_load((ROOT / "api" / "openapi.yaml").read_text(encoding="utf-8"))
    refuse_empty(spec, "")
    return spec


def refuse_empty(node, place):
    """A value that is nothing is most often a comma in a text that should stand in quotes."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if value is None:
            raise ValueError(f"api/openapi.yaml: {place}/{key} has no value")
        refuse_empty(value, f"{place}/{key}")


def resolve(spec, node):
    """The node that a reference leads to; what stands beside the reference goes before."""
    while isinstance(node, dict) and "$ref" in node and node["$ref"].startswith("#/"):
        target = spec
        for part in node["$ref"][2:].split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def operations(spec):
    """(path, method, operation, its parameters with those of the path) in the order of the description."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                given = item.get("parameters", []) + item[method].get("parameters", [])
                yield path, method, item[method], [resolve(spec, one) for one in given]


def security(spec, operation):
    names = [name for one in operation.get("security", spec["security"]) for name in one]
    return {"serverKey": "BF_CREDENTIAL_KEY", "clientToken": "BF_CREDENTIAL_TOKEN"}[names[0]] if names \
        else "BF_CREDENTIAL_NONE"


def c_string(text):
    return json.dumps(text, ensure_ascii=True)


def alphabet(pattern):
    """The characters that a pattern of the form ^[...]*$ allows."""
    match = re.fullmatch(r"\^\[([^\]]+)\]\*\$", pattern)
    if not match:
        raise ValueError(f"the server's tables cannot express the pattern {pattern}")
    inside, found, at = match.group(1), "", 0
    while at < len(inside):
        if at + 2 < len(inside) and inside[at + 1] == "-":
            found += "".join(chr(code) for code in range(ord(inside[at]), ord(inside[at + 2]) + 1))
            at += 3
        else:
            found += inside[at]
            at += 1
    return found


class Tables:
    """Writes one C object for each schema, those it refers to first."""
    KNOWN = {"type", "description", "enum", "default", "minLength", "maxLength", "pattern", "minimum", "maximum",
             "additionalProperties", "required", "properties", "items", "maxItems", "format", "contentEncoding",
             "x-media"}

    def __init__(self, spec):
        self.spec, self.out, self.written = spec, [], {}

    def schema(self, node, name):
        """The C name of the object that stands for the schema."""
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
        name = "SCHEMA_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
        node = resolve(self.spec, node)
        unknown = set(node) - self.KNOWN
        if unknown:
            raise ValueError(f"{name}: the server's tables cannot express {', '.join(sorted(unknown))}")
        if self.written.get(name) not in (None, node):
            raise ValueError(f"two schemas would be called {name}")
        if name not in self.written:
            self.written[name] = node
            self.write(name, node)
        return name

    def write(self, name, node):
        kind = node["type"]
        parts = {"object": self.object, "array": self.array, "string": self.string,
                 "integer": self.number, "number": self.number, "boolean": lambda *_: []}[kind](name, node)
        if node.get("x-media"):
            kind = "media"
        elif node.get("format") == "date-time":
            kind = "time"
        self.out.append(f"static const bf_schema {name} = {{.type = BF_SCHEMA_{kind.upper()}"
                        + "".join(f", .{part}" for part in parts) + "};")

    def object(self, name, node):
        if node.get("additionalProperties") is not False:
            raise ValueError(f"{name}: additionalProperties must be false")
        required = node.get("required", [])
        rows = [(key, self.schema(value, f"{name.removeprefix('SCHEMA_').lower()}_{key}"))
                for key, value in node["properties"].items()]
        self.out.append(f"static const bf_field {name}_FIELDS[] = {{")
        self.out += [f"    {{\"{key}\", {str(key in required).lower()}, &{schema}}}," for key, schema in rows]
        self.out.append("    {NULL, false, NULL},\n};")
        return [f"fields = {name}_FIELDS"]

    def array(self, name, node):
        items = self.schema(node["items"], f"{name.removeprefix('SCHEMA_').lower()}_item")
        return [f"items = &{items}", f"items_max = {node['maxItems']}"]

    def string(self, name, node):
        if "enum" in node:
            words = ", ".join(f"\"{word}\"" for word in node["enum"])
            self.out.append(f"static const char *const {name}_WORDS[] = {{{words}, NULL}};")
            return [f"words = {name}_WORDS"]
        if node.get("x-media"):
            return []
        parts = [f"length_min = {node.get('minLength', 0)}", f"length_max = {node['maxLength']}"]
        if "pattern" in node:
            parts.append(f"alphabet = {c_string(alphabet(node['pattern']))}")
        return parts

    def number(self, _, node):
        return [f"min = {node['minimum']}", f"max = {node['maximum']}"]


def api_inc(spec):
    tables, rows = Tables(spec), []
    for path, method, operation, parameters in operations(spec):
        body, parameter, query = "NULL", "NULL", "NULL"
        name = operation["operationId"]
        content = operation.get("requestBody", {}).get("content")
        if content:
            body = "&" + tables.schema(content["application/json"]["schema"], f"{name}_body")
        for one in parameters:
            if one["in"] == "path":
                parameter = "&" + tables.schema(one["schema"], f"{name}_{one['name']}")
        raw = str("application/octet-stream" in (content or {})).lower()
        asked = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}
        if asked and content:
            raise ValueError(f"{name}: the server takes a query or a body")
        if asked:
            needed = [one["name"] for one in parameters if one["in"] == "query" and one["required"]]
            query = "&" + tables.schema({"type": "object", "additionalProperties": False, "properties": asked,
                                         "required": needed}, f"{name}_query")
        roles = " | ".join(f"BF_ACCESS_{role.upper()}" for role in operation["x-roles"]) or "0"
        rows.append(f"    {{{c_string(name)}, {c_string(method.upper())}, {c_string(path)},\n"
                    f"     {security(spec, operation)}, {roles}, {parameter}, {query}, {body}, {raw}}},")
    out = ["/* Generated by api/generate.py from api/openapi.yaml; edit it there. */", *tables.out, "",
           "const bf_route BF_ROUTES[] = {", *rows, "    {.operation = NULL},", "};", ""]
    return "\n".join(out)


def self_contained(spec):
    """The description with the record's schema among its components."""
    record = json.loads((ROOT / "api" / RECORD).read_text(encoding="utf-8"))
    parts = {"Record": record, **{f"Record_{name}": part for name, part in record.pop("$defs").items()}}
    for key in ("$schema", "$id"):
        record.pop(key)

    def move(node):
        if isinstance(node, dict):
            return {key: move_reference(value) if key == "$ref" else move(value) for key, value in node.items()}
        return [move(one) for one in node] if isinstance(node, list) else node

    def move_reference(target):
        if target == RECORD:
            return "#/components/schemas/Record"
        return target.replace("#/$defs/", "#/components/schemas/Record_")
    spec = move(spec)
    spec["components"]["schemas"].update(move(parts))
    return spec


def c_text(name, text):
    """`const char NAME[]` holding the text, in lines of C strings."""
    out, left = [f"const char {name}[] ="], text
    while left:
        count = min(len(left), LINE_COLUMNS - 4)
        while len(c_string(left[:count])) > LINE_COLUMNS - 4:
            count -= 1
        # Three question marks must not become a trigraph, and nothing may follow a hexadecimal escape.
        out.append("    " + c_string(left[:count]).replace("??", "?\\?"))
        left = left[count:]
    return "\n".join(out) + ";\n"


def spec_inc(spec):
    text = json.dumps(self_contained(spec), separators=(",", ":"), ensure_ascii=True)
    return ("/* Generated by api/generate.py from api/openapi.yaml and api/record.schema.json. */\n"
            + c_text("BF_OPENAPI_JSON", text))


def page_inc(page):
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    digest = hashlib.sha256(style.encode()).digest()
    import base64
    policy = (f"default-src 'none'; style-src 'sha256-{base64.b64encode(digest).decode()}'; base-uri 'none'; "
              "form-action 'none'; frame-ancestors 'none'")
    return ("/* Generated by api/generate.py: the readable reference, and the policy that allows its style only. */\n"
            + c_text("BF_DOCS_HTML", page) + c_text("BF_DOCS_POLICY", policy))
