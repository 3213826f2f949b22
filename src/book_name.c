/*-------------------------------------------------------------------------
 * book_name.c
 *		Names of persons and companies: normal form, keys, similarity.
 *
 * A name is read as tokens of code points without case, width, diacritics and
 * punctuation. Only its first CRM_NAME_CHARS code points count. Titles and
 * legal forms stay: what is a title in one name is a surname in another.
 *-------------------------------------------------------------------------
 */
#include "book_name.h"

#include "catalog/pg_type.h"
#include "types_unicode.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define MAX_BYTES		(CRM_NAME_CHARS * 8)	/* of a name that are read at all */
#define SURNAME_WEIGHT	0.7
#define PERSON_CHARS	4		/* Chinese names of persons have at most so many */
#define EDGE_CHARS		2		/* of a longer Chinese name that make a key */
#define SKELETON_CHARS	8
#define SPELLS_ALIKE	0.7		/* tokens less similar than this are different ones */
#define SPARE_WEIGHT	0.5		/* of a token that the other name leaves out */

/* Base letters of U+00C0 to U+024F and of U+1E00 to U+1EFF; a dot where there is none. */
static const char base_00c0[] =
	"aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y"
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkklllllll"
	"lllnnnnnnnnnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
	"bbbb...ccdddd....ffg...ikkl..nnooo..pp.....ttttuu.vyyzz........."
	".............aaiioouuuuuuuuuu.aaaa..ggggkkoooo..j...gg..nnaa..oo"
	"aaaaeeeeiiiioooorrrruuuusstt..hhnd..zzaaeeooooooooyylntj..acclts"
	"z..bu.eejjqqrryy";
static const char base_1e00[] =
	"aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
	"mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
	"wwwwwwwwwwxxxxyyzzzzzzhtwyasss..aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
	"eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy....yy";

/* Surnames of two characters, simplified and traditional */
static const uint32 double_surname[][2] = {
	{0x6B27, 0x9633}, {0x4E0A, 0x5B98}, {0x53F8, 0x9A6C}, {0x8BF8, 0x845B},
	{0x590F, 0x4FAF}, {0x4E1C, 0x65B9}, {0x7687, 0x752B}, {0x5C09, 0x8FDF},
	{0x516C, 0x5B59}, {0x6155, 0x5BB9}, {0x53F8, 0x5F92}, {0x4EE4, 0x72D0},
	{0x5B87, 0x6587}, {0x957F, 0x5B59}, {0x5357, 0x5BAB}, {0x7AEF, 0x6728},
	{0x72EC, 0x5B64}, {0x767E, 0x91CC}, {0x95FB, 0x4EBA}, {0x6FB9, 0x53F0},
	{0x516C, 0x51B6}, {0x5B97, 0x653F}, {0x6FEE, 0x9633}, {0x6DF3, 0x4E8E},
	{0x5355, 0x4E8E}, {0x592A, 0x53D4}, {0x7533, 0x5C60}, {0x8F69, 0x8F95},
	{0x949F, 0x79BB}, {0x547C, 0x5EF6}, {0x62D3, 0x8DCB}, {0x4E1C, 0x90ED},
	{0x5357, 0x95E8}, {0x897F, 0x95E8}, {0x5DE6, 0x4E18}, {0x6881, 0x4E18},
	{0x53F8, 0x7A7A}, {0x8D6B, 0x8FDE}, {0x6B50, 0x967D}, {0x8AF8, 0x845B},
	{0x6771, 0x65B9}, {0x9577, 0x5B6B}, {0x937E, 0x96E2},
};

static bool
is_han(uint32 c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
		(c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3134F) || c == 0x3007;
}

/* Marks that are written above or within a word and do not divide it */
static bool
is_ignored(uint32 c)
{
	return c == '\'' || c == '`' || c == 0xB4 || c == 0xAD || c == 0xFEFF ||
		(c >= 0x02B0 && c <= 0x02FF) || (c >= 0x0300 && c <= 0x036F) ||
		(c >= 0x200B && c <= 0x200F) || c == 0x2018 || c == 0x2019 ||
		(c >= 0xFE00 && c <= 0xFE0F);
}

/* Whatever divides words: the middle dots of minority names among it */
static bool
is_separator(uint32 c)
{
	if (c < 0x80)
		return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'));
	return (c >= 0x80 && c <= 0xBF) || c == 0xD7 || c == 0xF7 || c == 0x0387 || c == 0x1427 ||
		c == 0x16EB || (c >= 0x2000 && c <= 0x206F) || (c >= 0x2190 && c <= 0x2BFF) ||
		(c >= 0x3000 && c <= 0x303F && c != 0x3005 && c != 0x3007) || c == 0x30FB ||
		(c >= 0xFE10 && c <= 0xFE6F) || (c >= 0xFF5F && c <= 0xFF65) || c == 0xFFFD;
}

/* The letters that a code point counts as: one, two, or itself */
static int
fold(uint32 c, uint32 *out)
{
	char		base = '.';

	c = crm_half_width(c);
	switch (c)
	{
		case 0xC6:
		case 0xE6:
			out[0] = 'a';
			out[1] = 'e';
			return 2;
		case 0x152:
		case 0x153:
			out[0] = 'o';
			out[1] = 'e';
			return 2;
		case 0xDF:
		case 0x1E9E:
			out[0] = out[1] = 's';
			return 2;
		case 0xDE:
		case 0xFE:
			out[0] = 't';
			out[1] = 'h';
			return 2;
		case 0x132:
		case 0x133:
			out[0] = 'i';
			out[1] = 'j';
			return 2;
		default:
			break;
	}
	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	else if (c >= 0xC0 && c <= 0x24F)
		base = base_00c0[c - 0xC0];
	else if (c >= 0x1E00 && c <= 0x1EFF)
		base = base_1e00[c - 0x1E00];
	else if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
		c += 0x20;				/* Greek, Cyrillic */
	else if (c >= 0x400 && c <= 0x40F)
		c += 0x50;
	out[0] = base != '.' ? (uint32) base : c;
	return 1;
}

void
crm_name_read(text *t, CrmName *name)
{
	const char *p = crm_utf8_prefix(t, MAX_BYTES);
	bool		divided = true;

	name->nchars = 0;
	name->ntokens = 0;
	name->han = false;
	while (*p != '\0')
	{
		uint32		letters[2];
		int			n = fold(crm_next_char(&p), letters);

		if (is_ignored(letters[0]))
			continue;
		if (is_separator(letters[0]))
		{
			divided = true;
			continue;
		}
		if (name->nchars + n > CRM_NAME_CHARS)
			break;
		/* Chinese characters are one name however they are spaced */
		if (name->nchars == 0 ||
			(divided && name->ntokens < CRM_NAME_TOKENS &&
			 !(is_han(letters[0]) && is_han(name->chars[name->nchars - 1]))))
			name->start[name->ntokens++] = name->nchars;
		divided = false;
		for (int i = 0; i < n; i++)
			name->chars[name->nchars++] = letters[i];
		name->han = name->han || is_han(letters[0]);
	}
	name->start[name->ntokens] = name->nchars;
}

static int
chars_order(const uint32 *a, int n, const uint32 *b, int m)
{
	for (int i = 0; i < Min(n, m); i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (n > m) - (n < m);
}

/* keys ------------------------------------------------------------------- */

/* Class of a consonant as Soundex has them, 0 for what it leaves out, the letter itself beyond a to z */
static uint32
sound_of(uint32 c)
{
	static const char class[] = "01230120022455012623010202";

	return c >= 'a' && c <= 'z' ? (uint32) class[c - 'a'] : c;
}

/*
 * Skeleton of a token: its first letter, then the classes of its consonants,
 * neighbours alike once. Vowels and doubled letters do not count. Chinese
 * characters and digits stand for themselves.
 */
static int
skeleton(const uint32 *token, int n, uint32 *out)
{
	int			len = 0;
	uint32		last = 0;

	for (int i = 0; i < n && len < SKELETON_CHARS; i++)
	{
		uint32		c = token[i];
		uint32		sound;

		if (i == 0 && n > 1 && c == 'p' && token[1] == 'h')
			c = 'f';
		else if (i == 0 && (c == 'c' || c == 'q'))
			c = 'k';
		else if (i == 0 && c == 'z')
			c = 's';
		sound = sound_of(c);
		if (i == 0)
			out[len++] = c;
		else if (sound != '0' && sound != last)
			out[len++] = sound;
		/* h and w do not part two letters of one class */
		if (i == 0 || !(c == 'h' || c == 'w'))
			last = sound;
	}
	return len;
}

static void
add_key(CrmNameKey *keys, int *nkeys, const uint32 *chars, int n)
{
	for (int i = 0; i < *nkeys; i++)
		if (chars_order(keys[i].chars, keys[i].nchars, chars, n) == 0)
			return;
	memcpy(keys[*nkeys].chars, chars, n * sizeof(uint32));
	keys[(*nkeys)++].nchars = n;
}

/*
 * Keys of a name, the first of the whole name. Names that differ in one Chinese
 * character share one: of a short name all forms with one character left out,
 * of a long one its beginning and its end. Names of several words share the key
 * of each word they have in common.
 */
int
crm_name_keys(const CrmName *name, CrmNameKey *keys)
{
	int			nkeys = 0;
	uint32		buf[CRM_KEY_CHARS];
	CrmNameKey	token[CRM_NAME_TOKENS];
	int			len = 0;
	int			n;

	if (name->nchars == 0)
		return 0;
	if (name->han && name->ntokens == 1)
	{
		add_key(keys, &nkeys, name->chars, name->nchars);
		if (name->nchars > PERSON_CHARS)
		{
			add_key(keys, &nkeys, name->chars, EDGE_CHARS);
			add_key(keys, &nkeys, name->chars + name->nchars - EDGE_CHARS, EDGE_CHARS);
		}
		/* those just too long as well, lest a missing character part them from short ones */
		if (name->nchars > 1 && name->nchars <= PERSON_CHARS + 1)
			for (int left_out = 0; left_out < name->nchars; left_out++)
			{
				len = 0;
				for (int i = 0; i < name->nchars; i++)
					if (i != left_out)
						buf[len++] = name->chars[i];
				add_key(keys, &nkeys, buf, len);
			}
		return nkeys;
	}

	/* skeletons in their order */
	for (int i = 0; i < name->ntokens; i++)
	{
		int			at = i;
		CrmNameKey	key;

		key.nchars = skeleton(name->chars + name->start[i], name->start[i + 1] - name->start[i], key.chars);
		for (; at > 0 && chars_order(token[at - 1].chars, token[at - 1].nchars, key.chars, key.nchars) > 0; at--)
		{
			memcpy(token[at].chars, token[at - 1].chars, token[at - 1].nchars * sizeof(uint32));
			token[at].nchars = token[at - 1].nchars;
		}
		memcpy(token[at].chars, key.chars, key.nchars * sizeof(uint32));
		token[at].nchars = key.nchars;
	}
	for (int i = 0; i < name->ntokens; i++)
	{
		if (i > 0)
			buf[len++] = ' ';
		memcpy(buf + len, token[i].chars, token[i].nchars * sizeof(uint32));
		len += token[i].nchars;
	}
	add_key(keys, &nkeys, buf, len);
	for (int i = 0; i < name->ntokens; i++)
		if (token[i].nchars > 1)
			add_key(keys, &nkeys, token[i].chars, token[i].nchars);
	/* a word of which the skeleton leaves one letter, as Leo or Wei, is its own key */
	for (int i = 0; i < name->ntokens; i++)
	{
		const uint32 *word = name->chars + name->start[i];

		n = name->start[i + 1] - name->start[i];
		if (n > 1 && skeleton(word, n, buf) == 1)
			add_key(keys, &nkeys, word, Min(n, SKELETON_CHARS));
	}
	return nkeys;
}

/* similarity ------------------------------------------------------------- */

static int
surname_chars(const uint32 *name, int n)
{
	if (n >= 3)
		for (int i = 0; i < (int) lengthof(double_surname); i++)
			if (name[0] == double_surname[i][0] && name[1] == double_surname[i][1])
				return 2;
	return 1;
}

/*
 * Chinese names: the surname weighs SURNAME_WEIGHT, the given name the rest
 * less its edit distance by length. Long ones, of companies and minorities, by
 * Jaro and Winkler.
 */
static double
han_similarity(const CrmName *a, const CrmName *b)
{
	int			longer = Max(a->nchars, b->nchars);
	int			sa,
				sb,
				given;
	bool		surname;

	if (longer > PERSON_CHARS)
		return crm_jaro_winkler(a->chars, a->nchars, b->chars, b->nchars);
	sa = surname_chars(a->chars, a->nchars);
	sb = surname_chars(b->chars, b->nchars);
	surname = sa == sb && memcmp(a->chars, b->chars, sa * sizeof(uint32)) == 0;
	given = Max(a->nchars - sa, b->nchars - sb);
	if (given == 0)
		return surname ? 1 : 0;
	return (surname ? SURNAME_WEIGHT : 0) + (1 - SURNAME_WEIGHT) *
		(1 - crm_edit_distance(a->chars + sa, a->nchars - sa, b->chars + sb, b->nchars - sb) / (double) given);
}

/*
 * Names of words in any order: the most similar pairs of words first, each
 * weighed by its letters. A word that the other name leaves out counts
 * SPARE_WEIGHT of its letters against them.
 */
static double
word_similarity(const CrmName *a, const CrmName *b)
{
	double		like[CRM_NAME_TOKENS][CRM_NAME_TOKENS];
	bool		a_taken[CRM_NAME_TOKENS] = {false};
	bool		b_taken[CRM_NAME_TOKENS] = {false};
	int			pairs = Min(a->ntokens, b->ntokens);
	double		sum = 0;
	double		weight = 0;

	for (int i = 0; i < a->ntokens; i++)
		for (int j = 0; j < b->ntokens; j++)
			like[i][j] = crm_jaro_winkler(a->chars + a->start[i], a->start[i + 1] - a->start[i],
										  b->chars + b->start[j], b->start[j + 1] - b->start[j]);
	while (pairs-- > 0)
	{
		int			x = -1,
					y = -1,
					letters;

		for (int i = 0; i < a->ntokens; i++)
			for (int j = 0; j < b->ntokens; j++)
				if (!a_taken[i] && !b_taken[j] && (x < 0 || like[i][j] > like[x][y]))
				{
					x = i;
					y = j;
				}
		a_taken[x] = b_taken[y] = true;
		letters = a->start[x + 1] - a->start[x] + b->start[y + 1] - b->start[y];
		weight += letters;
		if (like[x][y] >= SPELLS_ALIKE)
			sum += letters * like[x][y];
	}
	for (int i = 0; i < a->ntokens; i++)
		if (!a_taken[i])
			weight += SPARE_WEIGHT * (a->start[i + 1] - a->start[i]);
	for (int j = 0; j < b->ntokens; j++)
		if (!b_taken[j])
			weight += SPARE_WEIGHT * (b->start[j + 1] - b->start[j]);
	return sum / weight;
}

/* Similarity from 0 to 1, the same whichever comes first; -1 where a name is empty. */
double
crm_name_similarity_of(const CrmName *a, const CrmName *b)
{
	double		similarity;

	if (a->nchars == 0 || b->nchars == 0)
		return -1;
	if (chars_order(a->chars, a->nchars, b->chars, b->nchars) > 0)
	{
		const CrmName *swap = a;

		a = b;
		b = swap;
	}
	if (a->han && b->han && a->ntokens == 1 && b->ntokens == 1)
		return han_similarity(a, b);
	similarity = word_similarity(a, b);
	/* a word written as two */
	if (a->ntokens != b->ntokens)
	{
		int			d = crm_edit_distance(a->chars, a->nchars, b->chars, b->nchars);

		if (d <= 1)
			similarity = Max(similarity, 1 - d / (double) Max(a->nchars, b->nchars));
	}
	return similarity;
}

/* functions -------------------------------------------------------------- */

/* crm.normal_name(text): the name as it is compared, words apart by a space. Strict. */
PG_FUNCTION_INFO_V1(crm_normal_name);
Datum
crm_normal_name(PG_FUNCTION_ARGS)
{
	CrmName		name;
	uint32		buf[CRM_KEY_CHARS];
	int			len = 0;

	crm_name_read((text *) PG_GETARG_POINTER(0), &name);
	for (int i = 0; i < name.ntokens; i++)
	{
		int			n = name.start[i + 1] - name.start[i];

		if (i > 0)
			buf[len++] = ' ';
		memcpy(buf + len, name.chars + name.start[i], n * sizeof(uint32));
		len += n;
	}
	PG_RETURN_TEXT_P(crm_text_of(buf, len));
}

/*
 * crm.name_key(text): key of the whole name, equal for names that sound alike
 * whatever the order of their words; NULL for a name without letters. Strict.
 */
PG_FUNCTION_INFO_V1(crm_name_key);
Datum
crm_name_key(PG_FUNCTION_ARGS)
{
	CrmName		name;
	CrmNameKey	keys[CRM_NAME_KEYS];

	crm_name_read((text *) PG_GETARG_POINTER(0), &name);
	if (crm_name_keys(&name, keys) == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(crm_text_of(keys[0].chars, keys[0].nchars));
}

/* crm.name_keys(text): keys of which names with one difference share one; {} without letters. Strict. */
PG_FUNCTION_INFO_V1(crm_name_keys_array);
Datum
crm_name_keys_array(PG_FUNCTION_ARGS)
{
	CrmName		name;
	CrmNameKey	keys[CRM_NAME_KEYS];
	Datum		texts[CRM_NAME_KEYS];
	int			n;

	crm_name_read((text *) PG_GETARG_POINTER(0), &name);
	n = crm_name_keys(&name, keys);
	for (int i = 0; i < n; i++)
		texts[i] = PointerGetDatum(crm_text_of(keys[i].chars, keys[i].nchars));
	PG_RETURN_ARRAYTYPE_P(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* crm.name_similarity(text, text): 0 to 1; NULL where one has no letters. Strict. */
PG_FUNCTION_INFO_V1(crm_name_similarity);
Datum
crm_name_similarity(PG_FUNCTION_ARGS)
{
	CrmName		a;
	CrmName		b;
	double		similarity;

	crm_name_read((text *) PG_GETARG_POINTER(0), &a);
	crm_name_read((text *) PG_GETARG_POINTER(1), &b);
	similarity = crm_name_similarity_of(&a, &b);
	if (similarity < 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(similarity);
}
