/*
 * What a tool over ODBC asks of crm_bi: bi CONNECTION TASK [SQL]; prints rows with | between the fields.
 *   tables | columns | primary-keys VIEW | rows SQL | bound WIDTH SQL
 * "rows" reads the text of any length piece by piece; "bound" reads into buffers of WIDTH bytes and tells what was cut.
 */
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static SQLHENV environment;
static SQLHDBC connection;
static SQLHSTMT statement;

static void
check(SQLRETURN result, SQLSMALLINT type, SQLHANDLE handle)
{
	SQLCHAR		state[6],
				message[512];

	if (SQL_SUCCEEDED(result) || result == SQL_NO_DATA)
		return;
	if (SQL_SUCCEEDED(SQLGetDiagRec(type, handle, 1, state, NULL, message, sizeof(message), NULL)))
		printf("error %s\n", (char *) state);
	exit(0);
}

/*
 * Prints the rows of the statement, of all columns or of some, each in as many pieces as it takes.
 */
static void
print_rows(const SQLUSMALLINT *columns, int n)
{
	SQLRETURN	result;

	while ((result = SQLFetch(statement)) != SQL_NO_DATA)
	{
		check(result, SQL_HANDLE_STMT, statement);
		for (int i = 0; i < n; i++)
		{
			SQLCHAR		piece[64];
			SQLLEN		length;

			if (i > 0)
				putchar('|');
			do
			{
				result = SQLGetData(statement, columns ? columns[i] : i + 1, SQL_C_CHAR, piece, sizeof(piece), &length);
				check(result, SQL_HANDLE_STMT, statement);
				if (result != SQL_NO_DATA && length != SQL_NULL_DATA)
					fputs((char *) piece, stdout);
			} while (result == SQL_SUCCESS_WITH_INFO);
		}
		putchar('\n');
	}
}

/*
 * As a tool does that believes the width it is told, or has one of its own.
 */
static void
print_bound(int width, int n)
{
	char	   *values = malloc((size_t) width * n);
	SQLLEN	   *lengths = malloc(sizeof(SQLLEN) * n);
	int			cut = 0;
	SQLRETURN	result;

	for (int i = 0; i < n; i++)
		check(SQLBindCol(statement, i + 1, SQL_C_CHAR, values + (size_t) width * i, width, &lengths[i]), SQL_HANDLE_STMT, statement);
	while ((result = SQLFetch(statement)) != SQL_NO_DATA)
	{
		check(result, SQL_HANDLE_STMT, statement);
		for (int i = 0; i < n; i++)
			cut += lengths[i] >= width;
	}
	printf("cut %d\n", cut);
}

int
main(int argc, char **argv)
{
	static const SQLUSMALLINT of_tables[] = {2, 3, 4, 5};
	static const SQLUSMALLINT of_columns[] = {3, 4, 5, 6, 7};
	static const SQLUSMALLINT of_keys[] = {4};
	const char *task = argc > 2 ? argv[2] : "";
	SQLSMALLINT n;

	SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
	SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (void *) SQL_OV_ODBC3, 0);
	SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
	check(SQLDriverConnect(connection, NULL, (SQLCHAR *) argv[1], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT), SQL_HANDLE_DBC, connection);
	SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);

	if (strcmp(task, "tables") == 0)
	{
		check(SQLTables(statement, NULL, 0, (SQLCHAR *) "crm\\_bi", SQL_NTS, (SQLCHAR *) "%", SQL_NTS, (SQLCHAR *) "TABLE,VIEW", SQL_NTS), SQL_HANDLE_STMT, statement);
		print_rows(of_tables, 4);
	}
	else if (strcmp(task, "columns") == 0)
	{
		check(SQLColumns(statement, NULL, 0, (SQLCHAR *) "crm\\_bi", SQL_NTS, (SQLCHAR *) "%", SQL_NTS, (SQLCHAR *) "%", SQL_NTS), SQL_HANDLE_STMT, statement);
		print_rows(of_columns, 5);
	}
	else if (strcmp(task, "primary-keys") == 0)
	{
		check(SQLPrimaryKeys(statement, NULL, 0, (SQLCHAR *) "crm_bi", SQL_NTS, (SQLCHAR *) argv[3], SQL_NTS), SQL_HANDLE_STMT, statement);
		print_rows(of_keys, 1);
	}
	else
	{
		check(SQLExecDirect(statement, (SQLCHAR *) argv[argc - 1], SQL_NTS), SQL_HANDLE_STMT, statement);
		check(SQLNumResultCols(statement, &n), SQL_HANDLE_STMT, statement);
		if (strcmp(task, "bound") == 0)
			print_bound(atoi(argv[3]), n);
		else
			print_rows(NULL, n);
	}
	SQLFreeHandle(SQL_HANDLE_STMT, statement);
	SQLDisconnect(connection);
	return 0;
}
