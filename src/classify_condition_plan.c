/*-------------------------------------------------------------------------
 * classify_condition_plan.c
 *		crm.matches at planning: the condition becomes plain operators.
 *
 * Where the condition is a constant and the row is that of a table, view or
 * subquery of the query, the call is replaced by the expression one would have
 * written by hand, so the planner knows its selectivity, indexes serve it, and
 * no row is formed. The expression is built from the parsed condition, never
 * from its text. Where anything does not fit, the call stays as it is, and so
 * do its errors.
 *-------------------------------------------------------------------------
 */
#include "classify_condition.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

typedef struct Builder
{
	List	   *names;			/* String: the columns of the row */
	List	   *values;			/* their expressions, in the same order */
	Node	   *as_of;
	Oid			day_function;
	Oid			part_function;
} Builder;

/*
 * Is the relation on the side of an outer join that can be missing? Then the
 * row is NULL there and matches nothing, while its columns could still be
 * tested for null.
 */
static bool
may_be_missing(Node *node, int varno, bool missing)
{
	check_stack_depth();
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblRef))
		return missing && ((RangeTblRef *) node)->rtindex == varno;
	if (IsA(node, FromExpr))
	{
		ListCell   *lc;

		foreach(lc, ((FromExpr *) node)->fromlist)
			if (may_be_missing(lfirst(lc), varno, missing))
				return true;
		return false;
	}
	if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;

		return may_be_missing(join->larg, varno, missing || join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL) ||
			may_be_missing(join->rarg, varno, missing || join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL);
	}
	return true;
}

/*
 * Are rows grouped by as a whole, in several ways? Then they are NULL in some
 * of these, while their columns are not.
 */
static bool
grouped_by_rows(PlannerInfo *root)
{
	ListCell   *lc;

	if (root == NULL || root->parse->groupingSets == NIL)
		return false;
	foreach(lc, root->parse->targetList)
	{
		TargetEntry *entry = lfirst(lc);

		if (entry->ressortgroupref != 0 && type_is_rowtype(exprType((Node *) entry->expr)))
			return true;
	}
	return false;
}

/* The columns of a whole-row reference; false: they cannot be told. */
static bool
row_of_var(Builder *builder, PlannerInfo *root, Var *row)
{
	RangeTblEntry *rte;
	TupleDesc	desc;

	if (root == NULL || row->varattno != InvalidAttrNumber || row->varlevelsup != 0 ||
		row->varno <= 0 || row->varno > list_length(root->parse->rtable))
		return false;
	rte = rt_fetch(row->varno, root->parse->rtable);
	if ((rte->rtekind != RTE_RELATION && rte->rtekind != RTE_SUBQUERY) ||
		may_be_missing((Node *) root->parse->jointree, row->varno, false))
		return false;
	if (row->vartype == RECORDOID)
	{
		if (rte->rtekind != RTE_SUBQUERY)
			return false;
		expandRTE(rte, row->varno, 0, -1, false, &builder->names, &builder->values);
		return list_length(builder->names) == list_length(builder->values);
	}
	desc = lookup_rowtype_tupdesc(row->vartype, row->vartypmod);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Var		   *var;

		if (attribute->attisdropped)
			continue;
		var = copyObject(row);
		var->varattno = var->varattnosyn = attribute->attnum;
		var->vartype = attribute->atttypid;
		var->vartypmod = attribute->atttypmod;
		var->varcollid = attribute->attcollation;
		builder->names = lappend(builder->names, makeString(pstrdup(NameStr(attribute->attname))));
		builder->values = lappend(builder->values, var);
	}
	ReleaseTupleDesc(desc);
	return true;
}

/* The columns of a row expression: such is a view's row, once it is merged into the query. */
static bool
row_of_expression(Builder *builder, RowExpr *row)
{
	TupleDesc	desc;
	int			i = 0;
	ListCell   *lc;

	/* each column may be tested more than once */
	if (contain_volatile_functions((Node *) row))
		return false;
	if (row->row_typeid == RECORDOID)
	{
		builder->names = row->colnames;
		builder->values = row->args;
		return list_length(row->colnames) == list_length(row->args);
	}
	desc = lookup_rowtype_tupdesc(row->row_typeid, -1);
	foreach(lc, row->args)
	{
		Form_pg_attribute attribute;

		if (i >= desc->natts)
			break;
		attribute = TupleDescAttr(desc, i++);
		if (attribute->attisdropped || exprType(lfirst(lc)) != attribute->atttypid)
			continue;
		builder->names = lappend(builder->names, makeString(pstrdup(NameStr(attribute->attname))));
		builder->values = lappend(builder->values, lfirst(lc));
	}
	ReleaseTupleDesc(desc);
	return true;
}

/* nodes --------------------------------------------------------------------- */

static Node *
make_literal(Oid type, Datum value)
{
	int16		len;
	bool		byval;

	get_typlenbyval(type, &len, &byval);
	return (Node *) makeConst(type, -1, get_typcollation(type), len, value, false, byval);
}

static Node *
make_call(Oid function, Oid result, List *args, Oid inputcollid)
{
	return (Node *) makeFuncExpr(function, result, args, InvalidOid, inputcollid, COERCE_EXPLICIT_CALL);
}

static Oid
find_operator(const char *name, Oid left, Oid right)
{
	return OpernameGetOprid(list_make2(makeString("pg_catalog"), makeString(pstrdup(name))), left, right);
}

/* left operator right; NULL if there is no such operator. Arrays share theirs. */
static Node *
make_operation(const char *name, Node *left, Node *right, Oid collation)
{
	bool		arrays = exprType(left) == TEXTARRAYOID;
	Oid			operator = find_operator(name, arrays ? ANYARRAYOID : exprType(left),
										 arrays ? ANYARRAYOID : exprType(right));
	Expr	   *expr;

	if (!OidIsValid(operator))
		return NULL;
	expr = make_opclause(operator, BOOLOID, false, (Expr *) left, (Expr *) right, InvalidOid, collation);
	set_opfuncid((OpExpr *) expr);
	return (Node *) expr;
}

/* left = ANY (array of the values) */
static Node *
make_any(Node *left, Oid element, Node *array, Oid collation)
{
	ScalarArrayOpExpr *expr;
	Oid			operator = find_operator("=", exprType(left), element);

	if (!OidIsValid(operator))
		return NULL;
	expr = makeNode(ScalarArrayOpExpr);
	expr->opno = operator;
	set_sa_opfuncid(expr);
	expr->useOr = true;
	expr->inputcollid = collation;
	expr->args = list_make2(left, array);
	expr->location = -1;
	return (Node *) expr;
}

static Node *
make_array(Oid element, Oid array, Datum *values, int n)
{
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(element, &len, &byval, &align);
	return make_literal(array, PointerGetDatum(construct_array(values, n, element, len, byval, align)));
}

/* The expression of a column as its base type; NULL: none, or of a wrong type. */
static Node *
column_of(const Builder *builder, const CrmColumn *column, Oid *type)
{
	ListCell   *name;
	ListCell   *value;

	forboth(name, builder->names, value, builder->values)
	{
		Node	   *expr = lfirst(value);
		Oid			actual;

		if (strcmp(strVal(lfirst(name)), column->name) != 0)
			continue;
		actual = exprType(expr);
		*type = crm_column_base_type(column->kind, actual);
		if (!OidIsValid(*type))
			return NULL;
		expr = copyObject(expr);
		/* texts compare as text, domains as their base */
		if (*type == VARCHAROID)
			*type = TEXTOID;
		if (*type != actual)
			expr = (Node *) makeRelabelType((Expr *) expr, *type, -1, exprCollation(expr), COERCE_IMPLICIT_CAST);
		if (column->kind == CRM_SET && *type == TEXTOID)
		{
			expr = make_call(F_STRING_TO_ARRAY_TEXT_TEXT, TEXTARRAYOID,
							 list_make2(expr, make_literal(TEXTOID, CStringGetTextDatum(CRM_SET_SEPARATOR))),
							 C_COLLATION_OID);
			((FuncExpr *) expr)->funccollid = C_COLLATION_OID;
			*type = TEXTARRAYOID;
		}
		return expr;
	}
	return NULL;
}

/* What a predicate tests. */
static Node *
term_of(const Builder *builder, const CrmTerm *term, Oid *type)
{
	Node	   *column = column_of(builder, term->column, type);

	if (column == NULL || term->part == CRM_WHOLE)
		return column;
	*type = INT4OID;
	if (term->part == CRM_COUNT)
		return make_call(F_CARDINALITY, INT4OID, list_make1(column), InvalidOid);
	return make_call(builder->part_function, INT4OID,
					 list_make3(make_literal(INT4OID, Int32GetDatum(term->part)), column,
								copyObject(builder->as_of)), InvalidOid);
}

static Node *
day_of(const Builder *builder, const CrmValue *value)
{
	if (!value->relative)
		return make_literal(DATEOID, DateADTGetDatum(value->day));
	if (IsA(builder->as_of, Const))
	{
		Const	   *as_of = (Const *) builder->as_of;

		if (as_of->constisnull)
			return copyObject((Node *) as_of);
		return make_literal(DATEOID, DateADTGetDatum(crm_shift_day(DatumGetDateADT(as_of->constvalue),
																 value->months, value->days)));
	}
	if (value->months == 0 && value->days == 0)
		return copyObject(builder->as_of);
	return make_call(builder->day_function, DATEOID,
					 list_make3(copyObject(builder->as_of),
								make_literal(INT4OID, Int32GetDatum(value->months)),
								make_literal(INT4OID, Int32GetDatum(value->days))), InvalidOid);
}

/* Whole numbers are compared with bigints where all literals are such, else as numeric. */
static bool
all_bigints(const CrmNode *node)
{
	int64		ignored;

	for (int i = 0; i < node->nvalues; i++)
		if (!crm_number_is_bigint(node->values[i].number, &ignored))
			return false;
	return true;
}

static Node *
as_numeric(Node *expr, Oid type)
{
	Oid			function = type == INT8OID ? F_NUMERIC_INT8 : type == INT4OID ? F_NUMERIC_INT4 : F_NUMERIC_INT2;

	return (Node *) makeFuncExpr(function, NUMERICOID, list_make1(expr), InvalidOid, InvalidOid, COERCE_EXPLICIT_CAST);
}

static Datum
literal(const CrmNode *node, int i, Oid type)
{
	const CrmValue *value = &node->values[i];
	int64		whole = 0;

	switch (type)
	{
		case INT8OID:
			(void) crm_number_is_bigint(value->number, &whole);
			return Int64GetDatum(whole);
		case NUMERICOID:
			return NumericGetDatum(value->number);
		case BOOLOID:
			return BoolGetDatum(value->boolean);
		default:
			return CStringGetTextDatum(value->string);
	}
}

static const char *const operator_names[] = {
	[CRM_EQ] = "=", [CRM_NE] = "<>", [CRM_LT] = "<", [CRM_LE] = "<=", [CRM_GT] = ">", [CRM_GE] = ">="
};

/* Bytes are compared: by the column's own collation where it can do that, so that indexes serve. */
static Oid
byte_collation(Node *expr)
{
	Oid			collation = exprCollation(expr);

	return OidIsValid(collation) && get_collation_isdeterministic(collation) ? collation : C_COLLATION_OID;
}

static Node *
make_list(const Builder *builder, const CrmNode *node, Node *left, Oid type, Oid collation)
{
	Oid			array = type == INT8OID ? INT8ARRAYOID : type == NUMERICOID ? NUMERICARRAYOID :
		type == DATEOID ? DATEARRAYOID : TEXTARRAYOID;
	Datum	   *values = palloc(sizeof(Datum) * node->nvalues);
	List	   *days = NIL;
	bool		constant = true;

	if (type != DATEOID)
	{
		for (int i = 0; i < node->nvalues; i++)
			values[i] = literal(node, i, type);
		return make_any(left, type, make_array(type, array, values, node->nvalues), collation);
	}
	for (int i = 0; i < node->nvalues; i++)
	{
		Node	   *day = day_of(builder, &node->values[i]);

		days = lappend(days, day);
		if (!IsA(day, Const) || ((Const *) day)->constisnull)
			constant = false;
		else
			values[i] = ((Const *) day)->constvalue;
	}
	if (!constant)
	{
		ArrayExpr  *expr = makeNode(ArrayExpr);

		expr->array_typeid = DATEARRAYOID;
		expr->element_typeid = DATEOID;
		expr->elements = days;
		expr->location = -1;
		return make_any(left, DATEOID, (Node *) expr, InvalidOid);
	}
	return make_any(left, DATEOID, make_array(DATEOID, DATEARRAYOID, values, node->nvalues), InvalidOid);
}

static Node *
make_comparison(const Builder *builder, const CrmNode *node, CrmCompare compare, int i, Node *left, Oid type)
{
	Node	   *right;
	Oid			collation = InvalidOid;

	if (type == DATEOID)
		right = day_of(builder, &node->values[i]);
	else
		right = make_literal(type, literal(node, i, type));
	if (type == TEXTOID)
		collation = compare <= CRM_NE ? byte_collation(left) : C_COLLATION_OID;
	return make_operation(operator_names[compare], left, right, collation);
}

static Node *
build_predicate(const Builder *builder, const CrmNode *node)
{
	Oid			type;
	Node	   *left = term_of(builder, &node->term, &type);
	Oid			collation = InvalidOid;

	if (left == NULL || node->kind == CRM_HOLDS)
		return left;
	if (node->kind == CRM_IS_NULL)
	{
		NullTest   *test = makeNode(NullTest);

		test->arg = (Expr *) left;
		test->nulltesttype = node->negated ? IS_NOT_NULL : IS_NULL;
		test->argisrow = false;
		test->location = -1;
		return (Node *) test;
	}
	if (node->term.kind == CRM_NUMBER && type != NUMERICOID)
	{
		if (!all_bigints(node))
		{
			left = as_numeric(left, type);
			type = NUMERICOID;
		}
		else
			type = INT8OID;
	}
	switch (node->kind)
	{
		case CRM_COMPARE:
			return make_comparison(builder, node, node->compare, 0, left, type);
		case CRM_BETWEEN:
			{
				Node	   *low = make_comparison(builder, node, CRM_GE, 0, left, type);
				Node	   *high = make_comparison(builder, node, CRM_LE, 1, copyObject(left), type);

				return low == NULL || high == NULL ? NULL : (Node *) makeBoolExpr(AND_EXPR, list_make2(low, high), -1);
			}
		case CRM_IN:
			if (type == TEXTOID)
				collation = byte_collation(left);
			return make_list(builder, node, left, type, collation);
		default:
			break;
	}
	if (node->term.kind == CRM_SET)
	{
		Datum	   *elements = palloc(sizeof(Datum) * node->nvalues);

		for (int i = 0; i < node->nvalues; i++)
			elements[i] = CStringGetTextDatum(node->values[i].string);
		return make_operation(node->kind == CRM_CONTAINS_ANY ? "&&" : "@>", left,
							  make_array(TEXTOID, TEXTARRAYOID, elements, node->nvalues), byte_collation(left));
	}
	return make_operation("~~", left,
						  make_literal(TEXTOID, PointerGetDatum(crm_like_pattern(node->kind, node->values[0].string))),
						  byte_collation(left));
}

static Node *
build(const Builder *builder, const CrmNode *node)
{
	List	   *args = NIL;

	check_stack_depth();
	for (int i = 0; i < node->nargs; i++)
	{
		Node	   *arg = build(builder, node->args[i]);

		CHECK_FOR_INTERRUPTS();
		if (arg == NULL)
			return NULL;
		args = lappend(args, arg);
	}
	switch (node->kind)
	{
		case CRM_AND:
			return (Node *) makeBoolExpr(AND_EXPR, args, -1);
		case CRM_OR:
			return (Node *) makeBoolExpr(OR_EXPR, args, -1);
		case CRM_NOT:
			return negate_clause(linitial(args));
		case CRM_IS_TRUE:
			{
				BooleanTest *test = makeNode(BooleanTest);

				test->arg = linitial(args);
				test->booltesttype = node->negated ? IS_NOT_TRUE : IS_TRUE;
				test->location = -1;
				return (Node *) test;
			}
		case CRM_CONSTANT:
			return makeBoolConst(node->constant, false);
		default:
			return build_predicate(builder, node);
	}
}

/* A function of ours; they stand in the schema of the function replaced. */
static Oid
find_function(Oid schema, const char *name, int nargs, const Oid *types)
{
	return LookupFuncName(list_make2(makeString(get_namespace_name(schema)), makeString(pstrdup(name))),
						  nargs, types, true);
}

static Node *
simplify(SupportRequestSimplify *request)
{
	static const Oid day_types[] = {DATEOID, INT4OID, INT4OID};
	static const Oid part_types[] = {INT4OID, DATEOID, DATEOID};
	Builder		builder = {0};
	List	   *args = request->fcall->args;
	Const	   *condition;
	Node	   *row;
	Node	   *result;
	Oid			schema;

	if (list_length(args) != 3 || !IsA(linitial(args), Const))
		return NULL;
	condition = linitial(args);
	row = lsecond(args);
	builder.as_of = lthird(args);
	if (condition->constisnull)
		return makeBoolConst(false, true);
	if (contain_volatile_functions(builder.as_of) || grouped_by_rows(request->root))
		return NULL;
	if (IsA(row, Var))
	{
		if (!row_of_var(&builder, request->root, (Var *) row))
			return NULL;
	}
	else if (!IsA(row, RowExpr) || !row_of_expression(&builder, (RowExpr *) row))
		return NULL;

	schema = get_func_namespace(request->fcall->funcid);
	builder.day_function = find_function(schema, "_condition_day", 3, day_types);
	builder.part_function = find_function(schema, "_condition_part", 3, part_types);
	if (!OidIsValid(builder.day_function) || !OidIsValid(builder.part_function))
		return NULL;
	result = build(&builder, crm_condition_parse(TextDatumGetCString(condition->constvalue), NULL));
	return result;
}

/* The support function of crm.matches. */
PG_FUNCTION_INFO_V1(crm_condition_support);
Datum
crm_condition_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(simplify((SupportRequestSimplify *) request));
	PG_RETURN_POINTER(NULL);
}
