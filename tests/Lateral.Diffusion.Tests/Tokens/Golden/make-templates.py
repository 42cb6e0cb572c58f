# Makes templates-python.json: what Jinja2 (3.1.6) writes for the cases beside it, set up as the transformers library sets it up for chat templates.
#   python3 make-templates.py > templates-python.json
import datetime
import json
import pathlib

import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 3, 4, 15, 6, 7)


class Generation(jinja2.ext.Extension):
    """The tag that marks what an assistant has written; here it only has to be accepted."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_written"), [], [], body).set_lineno(line)

    def _written(self, caller):
        return caller()


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def refuse(message):
    raise jinja2.TemplateError(message)


environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
environment.filters["tojson"] = to_json
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = NOW.strftime


def render(template, variables):
    try:
        return environment.from_string(template).render(**variables)
    except Exception as mistake:
        # Any of Python's exceptions is one: what a template does wrong is told in many ways.
        return {"error": str(mistake)}


cases = json.loads((HERE / "template-cases.json").read_text(encoding="utf-8"))
chat = json.loads((HERE / "chat-templates.json").read_text(encoding="utf-8"))
written = {
    "cases": [render(template, cases["variables"]) for template in cases["cases"]],
    "chat": {
        f"{name} / {conversation} / {'prompt' if prompt else 'none'}": render(
            "\n".join(lines), {"tools": None, "documents": None, **chat["tokens"], **variables, "add_generation_prompt": prompt}
        )
        for name, lines in chat["templates"].items()
        for conversation, variables in chat["conversations"].items()
        for prompt in (False, True)
    },
}
print(json.dumps(written, ensure_ascii=False, indent=1))
