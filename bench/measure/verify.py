"""Checks of tokens over HTTP, beside a handler that only answers 200, a Redis `GET`, better-auth's
API keys and oidc-provider's introspection. The values come from the whole of each store.
"""

import base64
import random
from contextlib import ExitStack

from .load import FORM, Load, Redis, Server, keywright
from .report import Subject, beside
from .stage import Stage

CONNECTIONS = 16
SAMPLE = 10_000


def measure(stage):
    with ExitStack() as stack:
        contenders, resident = contend(stage, stack)
        rates = {name: [] for name in contenders}
        tails = {name: [] for name in contenders}
        for load in contenders.values():
            load.run(CONNECTIONS)
        for _ in range(stage.rounds):
            for name, load in contenders.items():
                told = load.run(CONNECTIONS)
                rates[name].append(told["rate"])
                tails[name].append(told["p99_ms"])
        memory = resident()
    return told_of(stage, rates, tails, memory)


def contend(stage, stack):
    """What is measured, in turns; and how much memory Keywright takes."""
    enter = stack.enter_context
    bare = enter(Server([stage.parts, "bare"], stage.env)).url
    contenders = {}
    for count in (stage.few, stage.many):
        store, tokens = stage.seeded("keywright", count)
        caller = stage.caller(store)
        ours = enter(keywright(stage, store))
        checks = [("/v1/verify?scope=read:notes", f"Bearer {value}", "") for value in some(tokens)]
        asks = [("/v1/introspect", f"Bearer {caller}", f"token={value}") for value in some(tokens)]
        if count == stage.many:
            contenders["200 to a GET"] = Load(stage, bare, "GET", checks)
            contenders["200 to a POST"] = Load(stage, bare, "POST", asks, FORM)
        contenders[f"/v1/verify, {count:,}"] = Load(stage, ours.url, "GET", checks)
        contenders[f"/v1/introspect, {count:,}"] = Load(stage, ours.url, "POST", asks, FORM)

    contenders["Redis GET"] = enter(Redis(stage, stage.many))

    store, keys = stage.seeded("better-auth", stage.many)
    # Uses are noted at each check, which costs least where nothing waits for the disk.
    command = [stage.node, stage.rival("better-auth.mjs"), "serve", store, "NORMAL"]
    checks = [("/v1/verify", f"Bearer {value}", "") for value in some(keys)]
    contenders["better-auth"] = Load(stage, enter(Server(command, stage.env)).url, "GET", checks)

    store, tokens = stage.seeded("oidc-provider", stage.many)
    command = [stage.node, stage.rival("oidc-provider.mjs"), "serve", store]
    client = "Basic " + base64.b64encode(b"bench:bench").decode()
    hint = "&token_type_hint=client_credentials"
    asks = [("/v1/introspect", client, f"token={value}{hint}") for value in some(tokens)]
    contenders["oidc-provider"] = Load(stage, enter(Server(command, stage.env)).url, "POST", asks, FORM)
    return contenders, ours.resident


def some(tokens):
    """Values from the whole of a store, in no order."""
    values, _ = Stage.parted(tokens)
    return random.sample(values, min(SAMPLE, len(values)))


def told_of(stage, rates, tails, memory):
    subject = Subject()
    for name, seen in rates.items():
        subject.figure(name, "requests/s", seen)
    for name, seen in tails.items():
        subject.figure(f"p99, {name}", "ms", seen)
    subject.figure(f"memory after the load, {stage.many:,} tokens", "MB", [memory])

    def ratio(one, other):
        return beside(rates[one], rates[other])

    verify, introspect = f"/v1/verify, {stage.many:,}", f"/v1/introspect, {stage.many:,}"
    subject.ratio("verify / 200", ratio(verify, "200 to a GET"), at_least=0.45)
    subject.ratio("introspect / 200", ratio(introspect, "200 to a POST"), at_least=0.45)
    subject.ratio("verify / Redis GET", ratio(verify, "Redis GET"))
    subject.ratio("verify / better-auth", ratio(verify, "better-auth"), at_least=50)
    subject.ratio("introspect / oidc-provider", ratio(introspect, "oidc-provider"), at_least=15)
    grown = f"with {stage.many:,} / with {stage.few:,}"
    subject.ratio(f"verify {grown}", ratio(verify, f"/v1/verify, {stage.few:,}"), at_least=0.8)
    subject.ratio(f"introspect {grown}", ratio(introspect, f"/v1/introspect, {stage.few:,}"), at_least=0.8)
    return subject
