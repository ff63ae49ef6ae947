#!/usr/bin/env python3
"""Writes the table of Kubernetes' built-in kinds, src/kubernetes/kinds/built_in.tsv.

The table comes from the discovery documents that the Go module k8s.io/kubernetes ships (api/discovery): what an API
server of that version answers kubectl. Versions of a group stand in the server's order, the preferred one first.

    generate.py            writes the table
    generate.py --check    exits 1 where the table is not what it would write

Needs `go`, which downloads the module where it is not at hand.
"""

import json
import pathlib
import subprocess
import sys

MODULE = "k8s.io/kubernetes@v1.37.2"
TABLE = pathlib.Path(__file__).resolve().parents[3] / "src/kubernetes/kinds/built_in.tsv"


def discovery():
    """The directory of the discovery documents."""
    answer = subprocess.run(["go", "mod", "download", "-json", MODULE], check=True, stdout=subprocess.PIPE, cwd="/")
    return pathlib.Path(json.loads(answer.stdout)["Dir"]) / "api" / "discovery"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def resource_lists(directory):
    """The resources of every group and version, as (group, version, APIResourceList)."""
    for version in read(directory / "api.json")["versions"]:
        yield "", version, read(directory / f"api__{version}.json")
    for group in sorted(read(directory / "apis.json")["groups"], key=lambda group: group["name"]):
        for version in group["versions"]:
            name = f"apis__{group['name']}__{version['version']}.json"
            yield group["name"], version["version"], read(directory / name)


def rows(directory):
    for group, version, resources in resource_lists(directory):
        for resource in sorted(resources["resources"], key=lambda resource: resource["kind"]):
            if "/" not in resource["name"]:
                scope = "namespaced" if resource["namespaced"] else "cluster"
                yield "\t".join([group, version, resource["kind"], resource["name"], scope])


def main():
    table = f"# {MODULE} api/discovery: group, version, kind, resource, scope\n"
    table += "".join(row + "\n" for row in rows(discovery()))
    if sys.argv[1:] == ["--check"]:
        if TABLE.read_text(encoding="utf-8") != table:
            sys.exit(f"{TABLE.name} is not current: run {pathlib.Path(__file__).name}")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        TABLE.write_text(table, encoding="utf-8")


main()
