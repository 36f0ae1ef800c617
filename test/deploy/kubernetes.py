"""Holds a Kubernetes object against the published schemas of the versions given: kubernetes.py FILE VERSION... Prints the object as JSON."""

import json
import sys

import kubernetes_validate
import yaml

with open(sys.argv[1]) as file:
    object = yaml.safe_load(file)
for version in sys.argv[2:]:
    kubernetes_validate.validate(object, version, strict=True)
print(json.dumps(object))
