/*-------------------------------------------------------------------------
 * classify_kernel.c
 *		From the records of one customer to the standing on every day.
 *
 * The records are turned into dated marks, sorted, and swept once.  The main
 * policy among those in force is the top of a heap whose ended entries are
 * dropped when they come up, so that a customer with n policies costs
 * O(n log n).
 *-------------------------------------------------------------------------
 */
#include "classify_kernel.h"

#include "common/int.h"
#include "miscadmin.h"

typedef enum MarkKind
{
	MARK_KNOWN,
	MARK_MOVE,
	MARK_ISSUE,
	MARK_START,
	MARK_STOP,
	MARK_WORTH,
	MARK_RULE
} MarkKind;

typedef struct Mark
{
	DateADT		day;
	int32		kind;
	int32		i;				/* move, cover or worth */
} Mark;

/* Covers by main policy: largest annual premium, earlier issue, smaller id */
typedef struct Heap
{
	int			n;
	int		   *cover;
} Heap;

struct Kernel
{
	const Rules *rules;
	Timeline	out;
	Mark	   *mark;
	int			mark_size;
	int		   *heap_space;
	int			heap_size;
};

Kernel *
kernel_create(const Rules *rules)
{
	Kernel	   *k = palloc0(sizeof(Kernel));

	k->rules = rules;
	k->out.size = 64;
	k->out.row = palloc_array(Standing, k->out.size);
	k->mark_size = 64;
	k->mark = palloc_array(Mark, k->mark_size);
	k->heap_size = 64;
	k->heap_space = palloc_array(int, 2 * k->heap_size);
	return k;
}

static inline bool
before(const Cover *a, const Cover *b)
{
	if (a->annual != b->annual)
		return a->annual > b->annual;
	if (a->issued != b->issued)
		return a->issued < b->issued;
	return a->policy < b->policy;
}

static void
heap_push(Heap *h, const Cover *cover, int c)
{
	int			i = h->n++;

	while (i > 0)
	{
		int			up = (i - 1) / 2;

		if (!before(&cover[c], &cover[h->cover[up]]))
			break;
		h->cover[i] = h->cover[up];
		i = up;
	}
	h->cover[i] = c;
}

static void
heap_pop(Heap *h, const Cover *cover)
{
	int			last = h->cover[--h->n];
	int			i = 0;

	for (;;)
	{
		int			down = 2 * i + 1;

		if (down >= h->n)
			break;
		if (down + 1 < h->n && before(&cover[h->cover[down + 1]], &cover[h->cover[down]]))
			down++;
		if (!before(&cover[h->cover[down]], &cover[last]))
			break;
		h->cover[i] = h->cover[down];
		i = down;
	}
	h->cover[i] = last;
}

/* The main cover in force on a day, or NULL */
static const Cover *
heap_top(Heap *h, const Cover *cover, DateADT day)
{
	while (h->n > 0 && cover[h->cover[0]].to <= day)
		heap_pop(h, cover);
	return h->n > 0 ? &cover[h->cover[0]] : NULL;
}

static int
mark_cmp(const Mark *x, const Mark *y)
{
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind - y->kind;
	return (x->i > y->i) - (x->i < y->i);
}

#define ST_SORT sort_marks
#define ST_ELEMENT_TYPE Mark
#define ST_COMPARE(a, b) mark_cmp(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static bool
in_orgs(const Rule *r, int64 org)
{
	int			lo = 0,
				hi = r->norgs;

	if (r->norgs == 0)
		return true;
	while (lo < hi)
	{
		int			mid = (lo + hi) / 2;

		if (r->org[mid] < org)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->norgs && r->org[lo] == org;
}

typedef struct Grade
{
	int16		class_id;		/* 0: no rule fits */
	bool		marked;
	bool		near;
} Grade;

static Grade
classify(const RuleList *list, int64 value, DateADT day, int64 org, int64 channel)
{
	for (int i = 0; i < list->n; i++)
	{
		const Rule *r = &list->rule[i];
		int			c = 0;

		if (day < r->from || day >= r->to || !(r->any_channel || r->channel == channel) ||
			!in_orgs(r, org))
			continue;
		while (c < r->nclasses - 1 && value >= r->threshold[c])
			c++;
		return (Grade) {
			.class_id = r->class_id[c], .marked = c >= r->marked, .near = c < r->marked && value >= r->near
		};
	}
	return (Grade) {0};
}

static void
add_row(Timeline *t, const Standing *s)
{
	if (t->n > 0)
	{
		const Standing *last = &t->row[t->n - 1];

		if (s->events == 0 && s->state == last->state && s->activity == last->activity &&
			s->tier == last->tier && s->org == last->org && s->channel == last->channel &&
			s->amount == last->amount && s->policies == last->policies && s->premium == last->premium)
			return;
	}
	if (t->n == t->size)
	{
		t->size *= 2;
		t->row = repalloc_huge(t->row, sizeof(Standing) * t->size);
	}
	t->row[t->n++] = *s;
}

static inline void
add_mark(Kernel *k, int *n, DateADT day, MarkKind kind, int i)
{
	k->mark[(*n)++] = (Mark) {.day = day, .kind = kind, .i = i};
}

static int64
add_amount(int64 a, int64 b)
{
	int64		r;

	if (pg_add_s64_overflow(a, b, &r))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the amount of a customer is out of range")));
	return r;
}

/*
 * The timeline of a customer, valid until the next call.  Moves ascend by
 * day; covers and worths come in any order.  A cover without a day is void on its own:
 * it neither covers nor, unless another interval of its policy has a day,
 * makes its issue a purchase.
 */
const Timeline *
kernel_run(Kernel *k, const Customer *c, const Move *move, int nmoves,
		   const Cover *cover, int ncovers, const Worth *worth, int nworths)
{
	const Rules *rules = k->rules;
	Timeline   *t = &k->out;
	Heap		own,
				other;
	int			n = 0,
				at = 0,
				dormancy;
	int			covers = 0,
				held = 0,
				longs = 0,
				plans = 0;
	int64		amount = 0,
				premium = 0;
	DateADT		purchased = 0;
	bool		ever_purchased = false;
	const Cover *last_own = NULL,
			   *last_other = NULL;
	Standing	s = {0};
	int			need = 1 + nmoves + 3 * ncovers + nworths + rules->nstarts;

	if (k->mark_size < need)
	{
		k->mark_size = need * 2;
		k->mark = repalloc_huge(k->mark, sizeof(Mark) * k->mark_size);
	}
	if (k->heap_size < ncovers)
	{
		k->heap_size = ncovers * 2;
		k->heap_space = repalloc_huge(k->heap_space, sizeof(int) * 2 * k->heap_size);
	}
	own = (Heap) {.cover = k->heap_space};
	other = (Heap) {.cover = k->heap_space + k->heap_size};

	add_mark(k, &n, c->known_from, MARK_KNOWN, 0);
	for (int i = 0; i < nmoves; i++)
		add_mark(k, &n, move[i].from, MARK_MOVE, i);
	for (int i = 0; i < ncovers; i++)
	{
		if (cover[i].from >= cover[i].to)
			continue;
		add_mark(k, &n, cover[i].issued, MARK_ISSUE, i);
		add_mark(k, &n, cover[i].from, MARK_START, i);
		if (!DATE_IS_NOEND(cover[i].to))
			add_mark(k, &n, cover[i].to, MARK_STOP, i);
	}
	for (int i = 0; i < nworths; i++)
		add_mark(k, &n, worth[i].day, MARK_WORTH, i);
	for (int i = 0; i < rules->nstarts; i++)
		add_mark(k, &n, rules->start[i], MARK_RULE, i);
	sort_marks(k->mark, n);

	t->n = 0;
	t->company = c->company;
	s.org = c->org;
	dormancy = rules->nlimits;
	while (at < n || dormancy < rules->nlimits)
	{
		int64		day = PG_INT64_MAX;
		const Cover *main;
		Grade		activity = {0};
		Grade		tier = {0};

		CHECK_FOR_INTERRUPTS();
		if (at < n)
			day = k->mark[at].day;
		if (dormancy < rules->nlimits)
			day = Min(day, purchased + rules->limit[dormancy]);
		if (day > TIMELINE_LAST_DAY)
			break;
		s.events = 0;
		for (; at < n && k->mark[at].day == day; at++)
		{
			const Cover *v = &cover[k->mark[at].i];

			switch ((MarkKind) k->mark[at].kind)
			{
				case MARK_KNOWN:
					s.state |= ST_KNOWN;
					break;
				case MARK_MOVE:
					s.org = move[k->mark[at].i].org;
					break;
				case MARK_ISSUE:
					if (!v->holder)
					{
						if (last_other == NULL || v->issued > last_other->issued || v->policy > last_other->policy)
							last_other = v;
						break;
					}
					if (last_own == NULL || v->issued > last_own->issued || v->policy > last_own->policy)
						last_own = v;
					s.events |= EV_PURCHASE | (v->long_term ? EV_LONG : 0);
					purchased = v->issued;
					ever_purchased = true;
					dormancy = 0;
					break;
				case MARK_START:
					heap_push(v->holder ? &own : &other, cover, k->mark[at].i);
					covers++;
					longs += v->long_term;
					if (v->holder)
					{
						held++;
						plans += v->long_term && v->own_book;
						amount = add_amount(amount, v->amount);
						premium = add_amount(premium, v->annual);
					}
					break;
				case MARK_STOP:
					s.events |= EV_END | (v->lapse ? EV_LAPSE : 0);
					covers--;
					longs -= v->long_term;
					if (v->holder)
					{
						held--;
						plans -= v->long_term && v->own_book;
						amount -= v->amount;
						premium -= v->annual;
					}
					break;
				case MARK_WORTH:
					amount = add_amount(amount, worth[k->mark[at].i].delta);
					break;
				case MARK_RULE:
					break;
			}
		}
		while (dormancy < rules->nlimits && purchased + rules->limit[dormancy] <= day)
			dormancy++;

		s.from = (DateADT) day;
		/* receipts may be reversed before the day they came */
		s.amount = Max(amount, 0);
		s.policies = held;
		s.premium = premium;
		s.state &= ST_KNOWN | ST_WAS;
		if (covers > 0)
			s.state |= ST_INSURED | ST_WAS | (held > 0 ? ST_HOLDER : 0) |
				(longs > 0 ? ST_LONG : 0) | (plans > 0 ? ST_PLAN : 0);
		main = heap_top(&own, cover, s.from);
		if (main == NULL)
			main = heap_top(&other, cover, s.from);
		if (main == NULL)
			main = last_own ? last_own : last_other;
		s.channel = main ? main->channel : c->channel;
		if (ever_purchased)
			activity = classify(&rules->activity, day - purchased, s.from, s.org, s.channel);
		if (covers > 0)
			tier = classify(&rules->tier, s.amount, s.from, s.org, s.channel);
		s.activity = activity.class_id;
		s.tier = tier.class_id;
		s.state |= (activity.marked && standing_coverage(&s) != COVERAGE_NONE ? ST_DORMANT : 0) |
			(tier.marked ? ST_VIP : 0) | (tier.near ? ST_NEAR_VIP : 0);
		if (t->n > 0 || standing_coverage(&s) != COVERAGE_NONE || s.events)
			add_row(t, &s);
	}
	return t;
}
