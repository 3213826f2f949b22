import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Properties;

/* What a tool in Java asks of crm_bi: java Bi URL USER PASSWORD TASK [ARGUMENT]; prints rows with | between the fields. */
class Bi {
	static Connection connection;

	static void row(Object... fields) {
		StringBuilder line = new StringBuilder();
		for (Object field : fields)
			line.append(line.length() > 0 ? "|" : "").append(field == null ? "" : field);
		System.out.println(line);
	}

	static void rows(ResultSet rows, String... columns) throws SQLException {
		while (rows.next()) {
			Object[] fields = new Object[columns.length];
			for (int i = 0; i < columns.length; i++)
				fields[i] = rows.getObject(columns[i]);
			row(fields);
		}
	}

	/* one statement prepared once and asked many times: after the fifth the server keeps the plan and answers in binary */
	static void prepared() throws SQLException {
		String sql = "SELECT d.year, o.drill_1_name, sum(p.annual_premium) AS premium, count(*) AS n, max(p.issued_on) AS last, bool_and(p.in_force) AS all_in_force"
			+ " FROM crm_bi.policy p JOIN crm_bi.date d ON d.date = p.issued_on JOIN crm_bi.organisation o ON o.org_id = p.issued_org_id"
			+ " WHERE p.issued_on BETWEEN ? AND ? AND p.annual_premium >= ? AND p.channel_id <> ? AND p.book = ? AND p.sector_line = ?"
			+ " GROUP BY 1, 2 ORDER BY 1, 2";
		String first = null;
		try (PreparedStatement query = connection.prepareStatement(sql)) {
			for (int i = 0; i < 12; i++) {
				query.setObject(1, LocalDate.of(2020, 1, 1));
				query.setDate(2, java.sql.Date.valueOf("2024-12-31"));
				query.setBigDecimal(3, new BigDecimal("500.50"));
				query.setLong(4, 2);
				query.setString(5, "own");
				query.setBoolean(6, false);
				StringBuilder all = new StringBuilder();
				try (ResultSet rows = query.executeQuery()) {
					while (rows.next())
						all.append(rows.getInt("year")).append('|').append(rows.getString(2)).append('|').append(rows.getBigDecimal("premium").toPlainString()).append('|')
							.append(rows.getLong("n")).append('|').append(rows.getObject("last", LocalDate.class)).append('|').append(rows.getBoolean(6) ? "t" : "f").append('\n');
				}
				if (first == null)
					first = all.toString();
				else if (!first.equals(all.toString()))
					row("another answer", i);
			}
		}
		System.out.print(first);
	}

	/* everything, some hundred rows at a time */
	static void cursor() throws SQLException {
		connection.setAutoCommit(false);
		try (Statement query = connection.createStatement()) {
			query.setFetchSize(100);
			long n = 0, with_birth = 0;
			BigDecimal amount = BigDecimal.ZERO;
			try (ResultSet rows = query.executeQuery("SELECT * FROM crm_bi.customer")) {
				ResultSetMetaData about = rows.getMetaData();
				row(about.getColumnName(1), about.getColumnTypeName(1), about.getColumnClassName(1));
				while (rows.next()) {
					n++;
					amount = amount.add(rows.getBigDecimal("amount"));
					rows.getObject("birth_date", LocalDate.class);
					if (!rows.wasNull())
						with_birth++;
				}
			}
			row(n, with_birth, amount.toPlainString());
		}
		connection.setAutoCommit(true);
	}

	static void holdings() throws SQLException {
		try (Statement query = connection.createStatement();
			ResultSet rows = query.executeQuery("SELECT h.held_from, h.held_from_date, c.name_zh FROM crm_bi.holding h JOIN crm_bi.channel c USING (channel_id) ORDER BY h.holding_key COLLATE \"C\"")) {
			while (rows.next())
				row(rows.getObject(1, OffsetDateTime.class).toEpochSecond(), rows.getObject(2, LocalDate.class), rows.getString(3));
		}
	}

	static void refused(String sql) throws SQLException {
		try (Statement query = connection.createStatement()) {
			query.execute(sql);
			row("00000");
		} catch (SQLException e) {
			row(e.getSQLState());
		}
	}

	public static void main(String[] arguments) throws SQLException {
		Properties properties = new Properties();
		properties.setProperty("user", arguments[1]);
		properties.setProperty("password", arguments[2]);
		properties.setProperty("options", "-c crm.as_of=2025-12-31");
		connection = DriverManager.getConnection(arguments[0], properties);
		DatabaseMetaData about = connection.getMetaData();
		for (int i = 3; i < arguments.length; i++) {
			String task = arguments[i];
			System.out.println("== " + task);
			if (task.equals("schemas"))
				rows(about.getSchemas(null, "crm%"), "TABLE_SCHEM");
			else if (task.equals("tables"))
				rows(about.getTables(null, "crm\\_bi", "%", new String[] { "VIEW" }), "TABLE_NAME", "TABLE_TYPE", "REMARKS");
			else if (task.equals("others"))
				rows(about.getTables(null, "crm\\_bi", "%", new String[] { "TABLE", "MATERIALIZED VIEW", "FOREIGN TABLE" }), "TABLE_NAME");
			else if (task.equals("columns"))
				rows(about.getColumns(null, "crm\\_bi", "%", "%"), "TABLE_NAME", "ORDINAL_POSITION", "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "REMARKS");
			else if (task.equals("keys")) {
				rows(about.getPrimaryKeys(null, "crm", "organisation"), "COLUMN_NAME");
				rows(about.getImportedKeys(null, "crm", "organisation"), "FKCOLUMN_NAME", "PKTABLE_NAME");
				rows(about.getPrimaryKeys(null, "crm_bi", "organisation"), "COLUMN_NAME");
				rows(about.getImportedKeys(null, "crm_bi", "kpi"), "FKCOLUMN_NAME");
				rows(about.getIndexInfo(null, "crm_bi", "kpi", false, false), "COLUMN_NAME");
			} else if (task.equals("rights")) {
				rows(about.getTablePrivileges(null, "crm_bi", "tier"), "GRANTEE", "PRIVILEGE");
			} else if (task.equals("prepared"))
				prepared();
			else if (task.equals("cursor"))
				cursor();
			else if (task.equals("holdings"))
				holdings();
			else
				refused(task);
		}
	}
}
