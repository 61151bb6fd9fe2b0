"""`rostrum orgs list`, `rostrum keys create ...`: the same commands for every noun, and some of its own.

Fields of what is made or changed, and filters of lists, are written `name=text`, or `name:=json` where they
are no text: `rostrum meetings create title=Weekly persist_chat:=true`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from signaling.admin.access import Api, RefusedError, api_of
from signaling.admin.nouns import NOUNS, Action, Noun, Verb
from signaling.admin.shown import as_fields, as_table, as_text, parsed
from signaling.flags import complaints, settings_of

_Command = Callable[..., None]
_FIELDS: Final = "fields"

_WHERE: Final = (
    click.option("--url", help="Of the server [that of the data directory]."),
    click.option("--api-key", help="Others see a command line: rather --api-key-file."),
    click.option("--api-key-file", type=click.Path(path_type=Path, dir_okay=False, exists=True)),
    click.option("--organization", help="Id of the organization or app to act for [the key's]."),
    click.option("--data-dir", type=click.Path(path_type=Path), help="With bootstrap.json in it [./data]."),
    click.option("--config", type=click.Path(path_type=Path), help="TOML file with the server's settings."),
    click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON."),
)


def group_of(noun: Noun) -> click.Group:
    """The commands about a noun."""
    group = click.Group(noun.name, help=f"Administer {noun.name}.")
    for verb in sorted(noun.verbs, key=list(Verb).index):
        group.add_command(_command(noun, verb))
    for one in noun.actions:
        group.add_command(_action_command(noun, one))
    return group


def __getattr__(name: str) -> click.Group:
    """`orgs`, `keys`, ...: as `signaling.cli` finds commands."""
    if name in GROUPS:
        return GROUPS[name]
    raise AttributeError(name)


def _command(noun: Noun, verb: Verb) -> click.Command:
    summary, action = _ACTIONS[verb]

    def run(**options: Any) -> None:
        _run(noun, action, options)

    command: _Command = run
    for option in reversed(_WHERE):
        command = option(command)
    if verb is Verb.DELETE and noun.forced:
        command = click.option("--force", is_flag=True, help=noun.forced)(command)
    if noun.of_meeting:
        command = click.option("--meeting", required=True, help="Id of the meeting.")(command)
    if verb is Verb.LIST:
        command = _paged(command)
    if verb in (Verb.LIST, Verb.CREATE, Verb.UPDATE):
        command = click.argument(_FIELDS, nargs=-1)(command)
    if verb in (Verb.SHOW, Verb.UPDATE, Verb.DELETE):
        command = click.argument("object_id", metavar="ID")(command)
    return click.command(verb.value, help=summary.format(one=noun.one))(command)


def _action_command(noun: Noun, action: Action) -> click.Command:
    def run(**options: Any) -> None:
        _run(noun, partial(_act, action), options)

    command: _Command = run
    for option in reversed(_WHERE):
        command = option(command)
    if "{meeting}" in action.path:
        command = click.option("--meeting", required=True, help="Id of the meeting.")(command)
    if action.paged:
        command = _paged(command)
    if action.takes:
        command = click.argument(_FIELDS, nargs=-1)(command)
    if "{id}" in action.path:
        command = click.argument("object_id", metavar="ID")(command)
    summary = action.summary.format(one=noun.one)
    told = f"{summary} FIELDS: {action.takes}." if action.takes and "FIELDS" not in summary else summary
    return click.command(action.name, help=told)(command)


def _paged(command: _Command) -> _Command:
    command = click.option("--page", type=int, default=1, show_default=True)(command)
    return click.option("--per-page", type=int, default=20, show_default=True)(command)


def _run(noun: Noun, action: _Action, options: dict[str, Any]) -> None:
    """Exit code 1: the server refused; 2: it was not asked."""
    try:
        fields = parsed(options.pop(_FIELDS, ()))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with complaints():
        try:
            asyncio.run(_asked(noun, action, fields, options))
        except RefusedError as error:
            click.echo(f"rostrum: {error}", err=True)
            sys.exit(1)


async def _asked(noun: Noun, action: _Action, fields: dict[str, Any], options: dict[str, Any]) -> None:
    given = {"data_dir": options["data_dir"]}
    settings = settings_of(given, options["config"])
    key_file = options["api_key_file"]
    api_key = key_file.read_text().strip() if key_file else options["api_key"]
    reach = api_of(settings, url=options["url"], api_key=api_key, organization=options["organization"])
    async with reach as (api, organization):
        path = partial(noun.path_of, organization=organization, meeting=options.get("meeting"))
        await action(api, noun, path, fields, options)


# --- what the verbs do ---------------------------------------------------------------------------------

_Action = Callable[[Api, Noun, Callable[..., str], dict[str, Any], dict[str, Any]], Awaitable[None]]


async def _list(
    api: Api, noun: Noun, path: Callable[..., str], fields: dict[str, Any], options: dict[str, Any]
) -> None:
    await _print_list(api, path(), fields, ("id", *noun.columns), options)


async def _act(
    action: Action,
    api: Api,
    noun: Noun,
    path: Callable[..., str],
    fields: dict[str, Any],
    options: dict[str, Any],
) -> None:
    where = path(template=action.path, object_id=options.get("object_id"))
    if action.columns:
        await _print_list(api, where, fields, action.columns, options)
        return
    body = None if action.method == "GET" else {action.within: fields} if action.within else fields
    answer = await api.call(action.method, where, body=body)
    _print(answer["data"], options)


async def _print_list(
    api: Api, path: str, fields: dict[str, Any], columns: tuple[str, ...], options: dict[str, Any]
) -> None:
    query = {name: as_text(value) for name, value in fields.items()}
    if "page" in options:
        query |= {"page_no": str(options["page"]), "per_page": str(options["per_page"])}
    answer = await api.call("GET", path, query=query)
    rows, paging = _rows(answer["data"]), answer.get("paging", {})
    if options["as_json"]:
        _print_json(answer["data"])
        return
    click.echo(as_table(rows, columns))
    total = paging.get("total_count", len(rows))
    if total > len(rows):
        click.echo(f"{len(rows)} of {total}: --page {options['page'] + 1} shows more", err=True)


async def _show(
    api: Api, noun: Noun, path: Callable[..., str], fields: dict[str, Any], options: dict[str, Any]
) -> None:
    answer = await api.call("GET", path(object_id=options["object_id"], template=noun.path_of_one))
    _print(answer["data"], options)


async def _create(
    api: Api, noun: Noun, path: Callable[..., str], fields: dict[str, Any], options: dict[str, Any]
) -> None:
    _print((await api.call("POST", path(), body=fields))["data"], options)


async def _update(
    api: Api, noun: Noun, path: Callable[..., str], fields: dict[str, Any], options: dict[str, Any]
) -> None:
    where = path(object_id=options["object_id"], template=noun.path_of_one)
    answer = await api.call("PATCH", where, body=fields)
    _print(answer["data"], options)


async def _delete(
    api: Api, noun: Noun, path: Callable[..., str], fields: dict[str, Any], options: dict[str, Any]
) -> None:
    query = {"force": "true"} if options.get("force") else {}
    answer = await api.call("DELETE", path(object_id=options["object_id"]), query=query)
    if options["as_json"]:
        _print_json(answer["data"])
    else:
        click.echo(f"{options['object_id']} is gone")


_ACTIONS: Final[dict[Verb, tuple[str, _Action]]] = {
    Verb.LIST: ("A page of them; FIELDS are filters (search=...).", _list),
    Verb.SHOW: ("All that is known of one {one}.", _show),
    Verb.CREATE: ("Make one {one} of FIELDS: name=text, name:=json.", _create),
    Verb.UPDATE: ("Change FIELDS of one {one}: name=text, name:=json.", _update),
    Verb.DELETE: ("Remove one {one}.", _delete),
}


def _rows(data: Any) -> list[dict[str, Any]]:
    """Some lists stand below their name."""
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), [])
    return list(data)


def _print(thing: dict[str, Any], options: dict[str, Any]) -> None:
    if options["as_json"]:
        _print_json(thing)
    else:
        click.echo(as_fields(thing))


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


GROUPS: Final = {noun.name: group_of(noun) for noun in NOUNS}
