"""Bandit's walk through a file, without the stops at which it has nothing to ask: half the time for the same answers.

Bandit prepares a context for every node of the syntax tree, also where no test is about such a node, looks for `# nosec` at every
test of every node, also where the file has none, and keeps scores for a summary that we do not print. A law holds this walk against
bandit's own (bandit 1.9; another minor version is not installed beside us).
"""

import ast
from collections.abc import Mapping
from typing import IO, Any

from bandit.core.manager import BanditManager  # type: ignore[import-untyped]  # has no types
from bandit.core.node_visitor import BanditNodeVisitor  # type: ignore[import-untyped]  # has no types
from bandit.core.tester import BanditTester  # type: ignore[import-untyped]  # has no types


class Manager(BanditManager):  # type: ignore[misc]  # bandit has no types
    """Bandit's, with our walk."""

    def _execute_ast_visitor(self, fname: str, fdata: IO[bytes], data: bytes, nosec_lines: Mapping[int, Any]) -> Any:
        visitor = _Visitor(fname, fdata, self.b_ma, self.b_ts, self.debug, nosec_lines, self.metrics)
        scores = visitor.process(data)
        self.results.extend(visitor.tester.results)
        return scores


class _Visitor(BanditNodeVisitor):  # type: ignore[misc]  # bandit has no types
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.tester = _Tester(self.testset, self.debug, self.nosec_lines, self.metrics)
        noted = {name.removeprefix("visit_") for name in dir(self) if name.startswith("visit_")}
        self._stops = noted | self.testset.tests.keys()

    def update_scores(self, scores: object) -> None:
        """Nobody reads them."""

    def generic_visit(self, node: ast.AST) -> None:
        """As bandit's, with the same depth of calls: how deep a file may be nested must not change."""
        stops = self._stops
        for field in node._fields:
            value = getattr(node, field, None)
            children = value if isinstance(value, list) else (value,)
            last = len(children) - 1
            for index, child in enumerate(children):
                if not isinstance(child, ast.AST):
                    continue
                # As bandit does: its tests may look for these at any node.
                child._bandit_sibling = children[index + 1] if index < last else None  # type: ignore[attr-defined]  # noqa: SLF001
                child._bandit_parent = node  # type: ignore[attr-defined]  # noqa: SLF001
                if child.__class__.__name__ in stops:
                    self.pre_visit(child)
                    self.visit(child)
                    self.generic_visit(child)
                    self.post_visit(child)
                else:
                    self.generic_visit(child)


class _Tester(BanditTester):  # type: ignore[misc]  # bandit has no types
    def _get_nosecs_from_contexts(self, context: Any, test_result: Any = None) -> Any:
        """None stands for "no comment here", as in bandit; the empty set would turn everything off."""
        return super()._get_nosecs_from_contexts(context, test_result) if self.nosec_lines else None
