"""What a query does that tables spread over machines by company can't do, or only slowly: read from its parse tree.

A relation is a tenant's when company_id is among its columns, whether it is a table, a CTE or a subquery.
"""

from collections.abc import Collection, Iterable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

COMPANY = "company_id"
EPHEMERAL = "__dbt__cte__"


def faults_of_query(model: str, query: str, tenant_tables: Collection[str]) -> set[str]:
    """What is wrong, as `model.cte: fault`; what comes from an ephemeral model bears that model's name.

    Args:
        model: its name.
        query: one statement of PostgreSQL.
        tenant_tables: as `schema.table`.
    """
    tree = sqlglot.parse_one(query, dialect="postgres")
    if tree.find(exp.Merge):
        return {f"{model}: merges"}
    tables = set(tenant_tables)
    return {
        f"{_place(model, scope.expression)}: {fault}"
        for scope in traverse_scope(tree)
        for fault in (*_grouping(scope, tables), *_joins(scope, tables), *_semijoin(scope, tables))
    }


def _place(model: str, node: exp.Expression | None) -> str:
    names = []
    while node is not None:
        if isinstance(node, exp.CTE):
            names.append(node.alias)
        node = node.parent
    step = names[0] if names and not names[0].startswith(EPHEMERAL) else "query"
    return f"{next((n.removeprefix(EPHEMERAL) for n in names if n.startswith(EPHEMERAL)), model)}.{step}"


def _tenants(scope: Scope | None, tables: set[str]) -> set[str]:
    """The names by which a query calls the tenant relations of its FROM clause."""
    if scope is None:
        return set()
    return {name for name, (_, source) in scope.selected_sources.items() if _is_tenant(source, tables)}


def _is_tenant(source: exp.Table | Scope, tables: set[str]) -> bool:
    if isinstance(source, exp.Table):
        return f"{source.db}.{source.name}" in tables
    if source.set_operation_scopes:
        return _is_tenant(source.set_operation_scopes[0], tables)
    query = source.expression
    if isinstance(query, exp.Lateral):
        rows = query.this.unnest()
        return isinstance(rows, exp.Query) and COMPANY in rows.named_selects
    return isinstance(query, exp.Select) and any(_gives_company(each, source, tables) for each in query.selects)


def _gives_company(selected: exp.Expression, scope: Scope, tables: set[str]) -> bool:
    """Whether company_id is, or is among, what one item of a SELECT list gives."""
    if not selected.is_star:
        return selected.output_name == COMPANY
    tenants = _tenants(scope, tables)
    return selected.table in tenants if isinstance(selected, exp.Column) else bool(tenants)


def _grouping(scope: Scope, tables: set[str]) -> Iterator[str]:
    """What puts rows of several companies together."""
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        reads_tenants = any(_tenants(branch, tables) for branch in scope.set_operation_scopes)
        if query.args.get("distinct") and reads_tenants and not _is_tenant(scope, tables):
            yield "UNION leaves out company_id"
    if not isinstance(query, exp.Select) or not _tenants(scope, tables):
        return
    group, distinct = query.args.get("group"), query.args.get("distinct")
    if group and any(group.find_all(exp.GroupingSets, exp.Rollup, exp.Cube)):
        yield "GROUPING SETS, ROLLUP or CUBE"
    elif group and not _has_company(_resolved(group.expressions, query)):
        yield "GROUP BY leaves out company_id"
    if distinct and (on := distinct.args.get("on")):
        if not _has_company(on.expressions or [on.unnest()]):
            yield "DISTINCT ON leaves out company_id"
    elif distinct and not _is_tenant(scope, tables):
        yield "DISTINCT leaves out company_id"
    for window in scope.find_all(exp.Window):
        refers_to_a_name = bool(window.args.get("alias"))
        if not refers_to_a_name and not _has_company(window.args.get("partition_by") or []):
            yield "a window's PARTITION BY leaves out company_id"


def _resolved(keys: Iterable[exp.Expression], query: exp.Select) -> list[exp.Expression]:
    """The keys of a GROUP BY; a number stands for a column of the result."""
    return [query.selects[int(key.name) - 1].unalias() if key.is_int else key for key in keys]


def _has_company(keys: Iterable[exp.Expression]) -> bool:
    return any(isinstance(key, exp.Column) and key.name == COMPANY for key in keys)


def _joins(scope: Scope, tables: set[str]) -> Iterator[str]:
    """Joins of two tenant relations that do not say that the company is the same."""
    query = scope.expression
    if not isinstance(query, exp.Select):
        return
    tenants, joins = _tenants(scope, tables), query.args.get("joins") or []
    seen = tenants - {join.alias_or_name for join in joins}
    for join in joins:
        name = join.alias_or_name
        if name in tenants and seen and not isinstance(join.this, exp.Lateral):
            said = _conditions(join.args.get("on")) + ([] if join.side else _conditions(query.args.get("where")))
            is_using = any(column.name == COMPANY for column in join.args.get("using") or [])
            if not is_using and not any(_equates(condition, {name}, seen) for condition in said):
                yield f"the join of {name} is not on company_id"
        seen |= {name} & tenants


def _semijoin(scope: Scope, tables: set[str]) -> Iterator[str]:
    """Subqueries in a condition, or lateral, over tenant relations beside those of the query around them."""
    query, around = scope.expression, _around(scope)
    if not isinstance(query, exp.Select) or not scope.is_subquery or around is None:
        return
    inner, outer = _tenants(scope, tables), _tenants(around, tables)
    parent = query.parent.parent if isinstance(query.parent, exp.Subquery) else query.parent
    is_joined = isinstance(parent, exp.Exists | exp.In | exp.Lateral) or scope.is_correlated_subquery
    if not (is_joined and inner and outer):
        return
    said = _conditions(query.args.get("where"))
    if not _is_in_by_company(parent, query) and not any(_equates(condition, inner, outer) for condition in said):
        yield f"the subquery over {', '.join(sorted(inner))} is not on company_id"


def _around(scope: Scope) -> Scope | None:
    around = scope.parent
    while around is not None and not isinstance(around.expression, exp.Select):
        around = around.parent
    return around


def _is_in_by_company(parent: exp.Expression | None, query: exp.Select) -> bool:
    """Whether it is `company_id in (select company_id ...)`, alone or beside other columns."""
    if not isinstance(parent, exp.In):
        return False
    left = parent.this.expressions if isinstance(parent.this, exp.Tuple) else [parent.this.unnest()]
    pairs = zip(left, query.selects, strict=False)
    return any(_has_company([mine]) and theirs.output_name == COMPANY for mine, theirs in pairs)


def _conditions(clause: exp.Expression | None) -> list[exp.Expression]:
    """What must hold in any case: the parts of a condition that AND connects."""
    if clause is None:
        return []
    condition = clause.this if isinstance(clause, exp.Where) else clause
    return [part.unnest() for part in (condition.flatten() if isinstance(condition, exp.And) else [condition])]


def _equates(condition: exp.Expression, these: set[str], those: set[str]) -> bool:
    """Whether it says that the company of one of these is the company of one of those."""
    sides = (condition.left, condition.right) if isinstance(condition, exp.EQ) else ()
    if not sides or not all(_has_company([side]) for side in sides):
        return False
    tables = [side.table or (next(iter(these)) if len(these) == 1 else "") for side in sides]
    return any(one in these and other in those for one, other in (tables, tables[::-1]))
