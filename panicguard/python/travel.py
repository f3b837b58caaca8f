"""Functions that run without their module: elsewhere, as their source alone or pickled by value."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from panicguard.python.calls import passed_to
from panicguard.python.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile


class Travel(enum.Enum):
    """How much of its module a function has where it runs."""

    NONE = "all of it: the module is imported there"
    PICKLED = "what it names, if that can be imported there"
    SOURCE = "nothing: not even its imports"


_TASKS = "virtualenv external_python branch_virtualenv branch_external_python docker kubernetes".split()
_AIRFLOW = ("decorators", "sdk", "sdk.definitions.decorators")
_BY_SOURCE = frozenset(
    (
        *("kfp.dsl.component", "kfp.v2.dsl.component"),
        *("kfp.components.create_component_from_func", "kfp.components.func_to_container_op"),
        *(f"airflow.{package}.task.{task}" for package in _AIRFLOW for task in _TASKS),
    )
)
"""Decorators that take the source of a function."""
_PICKLING = frozenset(
    (
        *("modal.App.function", "modal.App.cls", "modal.Stub.function", "ray.remote"),
        *("sagemaker.remote_function.remote", "sagemaker.core.remote_function.remote"),
        "sagemaker.workflow.function_step.step",
    )
)
"""Decorators that pickle a function, or run it on a machine that may have other packages."""
_SOURCE_TAKERS = (
    "getsource getsourcelines dsl.component create_component_from_func func_to_container_op PythonVirtualenvOperator "
    "ExternalPythonOperator BranchPythonVirtualenvOperator BranchExternalPythonOperator"
)
_PICKLERS = "cloudpickle.dump cloudpickle.dumps dill.dump dill.dumps ray.remote RemoteExecutor.submit"


def travel_of(module: PythonFile, node: CSTNode) -> Travel:
    """How the function or the class that a node stands in runs, as far as this module says."""
    text = module.source.text
    for definition in _around(module, node):
        names = {module.names.qualified(_named(decorator.decorator)) for decorator in definition.decorators}
        if names & _BY_SOURCE or definition.name.value in passed_to(text, _SOURCE_TAKERS):
            return Travel.SOURCE
        if names & _PICKLING or definition.name.value in passed_to(text, _PICKLERS):
            return Travel.PICKLED
    return Travel.NONE


def _around(module: PythonFile, node: CSTNode) -> Iterator[cst.FunctionDef | cst.ClassDef]:
    for above in (node, *(frame.node for frame in module.tree.frames(node))):
        if isinstance(above, (cst.FunctionDef, cst.ClassDef)):
            yield above


def _named(decorator: CSTNode) -> CSTNode:
    return decorator.func if isinstance(decorator, cst.Call) else decorator
