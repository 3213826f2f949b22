-- classify: purchase models fitted on the book

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('lifetime_months', 'integer', '36', false, false, 'Months of purchases that count towards the lifetime value of a customer.'),
  ('discount_percent', 'integer', '10', false, false, 'Percent a year by which purchases to come are discounted.');

CREATE TABLE crm.purchase_model (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  as_of date NOT NULL,
  org_id bigint REFERENCES crm.organisation,
  channel_id bigint REFERENCES crm.channel,
  customers bigint NOT NULL,
  repeaters bigint NOT NULL,
  purchases crm.bgnbd NOT NULL,
  value crm.gamma_gamma,
  converged boolean NOT NULL,
  problem text,
  fitted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  fitted_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.purchase_model IS 'Models of repeat purchases and of their value, fitted to the book as it stood on a day. 购买模型';
COMMENT ON COLUMN crm.purchase_model.id IS 'Key, in order of fitting.';
COMMENT ON COLUMN crm.purchase_model.as_of IS 'End of observation.';
COMMENT ON COLUMN crm.purchase_model.org_id IS 'Unit with its subtree whose customers it was fitted to; NULL: all.';
COMMENT ON COLUMN crm.purchase_model.channel_id IS 'Main channel of the customers it was fitted to; NULL: every channel.';
COMMENT ON COLUMN crm.purchase_model.customers IS 'Customers it was fitted to.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES ('crm.purchase_model', 'customers', 'count', 'As fitted then.');
COMMENT ON COLUMN crm.purchase_model.repeaters IS 'Those among them who had bought again.';
COMMENT ON COLUMN crm.purchase_model.purchases IS 'The BG/NBD model, times in months of 30.4375 days.';
COMMENT ON COLUMN crm.purchase_model.value IS 'The gamma-gamma model of the contractual premium of a day of purchase; NULL where nobody bought again.';
COMMENT ON COLUMN crm.purchase_model.converged IS 'Whether both fits found a maximum; where not, forecasts rest on the best parameters looked at.';
COMMENT ON COLUMN crm.purchase_model.problem IS 'Why not.';
COMMENT ON COLUMN crm.purchase_model.fitted_at IS 'When it was fitted.';
COMMENT ON COLUMN crm.purchase_model.fitted_by IS 'Who had it fitted.';
CREATE INDEX ON crm.purchase_model (org_id);
CREATE INDEX ON crm.purchase_model (channel_id);

CREATE FUNCTION crm.fit_purchase_model(as_of date, org_id bigint DEFAULT NULL, channel text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  in_channel bigint := (SELECT h.id FROM crm.channel h WHERE h.code = fit_purchase_model.channel);
  m crm.purchase_model;
BEGIN
  PERFORM crm._check_period(as_of, as_of), crm._take_day(as_of);
  IF channel IS NOT NULL AND in_channel IS NULL THEN
    RAISE EXCEPTION 'there is no channel "%"', channel USING ERRCODE = 'invalid_parameter_value', HINT = 'crm_bi.channel lists the channels.';
  ELSIF fit_purchase_model.org_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.organisation o WHERE o.id = fit_purchase_model.org_id) THEN
    RAISE EXCEPTION 'there is no unit "%"', fit_purchase_model.org_id USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT crm.fit_bgnbd(h.purchases - 1, (h.last_on - h.first_on) / 30.4375::float8, (fit_purchase_model.as_of - h.first_on) / 30.4375::float8) AS purchases,
         crm.fit_gamma_gamma(h.purchases - 1, (h.repeat_amount / (h.purchases - 1))::float8) FILTER (WHERE h.purchases > 1 AND h.repeat_amount > 0) AS value,
         count(*) AS customers, count(*) FILTER (WHERE h.purchases > 1) AS repeaters
  INTO m.purchases, m.value, m.customers, m.repeaters
  FROM crm_bi.purchase_history h
  WHERE fit_purchase_model.org_id IS NULL AND in_channel IS NULL
     OR h.customer_id IN (
       SELECT s.customer_id
       FROM (SELECT st.customer_id, crm.at(st.timeline, fit_purchase_model.as_of) AS r
             FROM crm.standing st JOIN crm.generation g ON g.slot = st.slot AND g.state = 'current' OFFSET 0) s
       WHERE (fit_purchase_model.org_id IS NULL OR (s.r).org_id IN (SELECT t.descendant_id FROM crm.organisation_tree t WHERE t.ancestor_id = fit_purchase_model.org_id))
         AND (in_channel IS NULL OR (s.r).channel_id = in_channel));
  IF m.customers = 0 THEN
    RAISE EXCEPTION 'nobody had bought by %', as_of
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Choose a later day, or more customers.';
  END IF;
  INSERT INTO crm.purchase_model AS x (as_of, org_id, channel_id, customers, repeaters, purchases, value, converged, problem)
  VALUES (fit_purchase_model.as_of, fit_purchase_model.org_id, in_channel, m.customers, m.repeaters, m.purchases, m.value,
          crm.converged(m.purchases) AND coalesce(crm.converged(m.value), false),
          nullif(concat_ws('; ', 'purchases: ' || crm.fit_problem(m.purchases),
                           CASE WHEN m.value IS NULL THEN 'value: nobody bought again' ELSE 'value: ' || crm.fit_problem(m.value) END,
                           CASE WHEN crm.q(m.value) <= 1 THEN 'value: the mean is infinite' END), ''))
  RETURNING x.id INTO m.id;
  RETURN m.id;
END
$$;
COMMENT ON FUNCTION crm.fit_purchase_model(date, bigint, text) IS
  'Fits the models of repeat purchases (crm.fit_bgnbd) and of their value (crm.fit_gamma_gamma) to the purchases up to a day, of the customers of a subtree and main channel on that day (NULL: all), keeps them in crm.purchase_model and returns their key. A fit without a maximum is kept with the reason; forecasts rest on it only where no other model is at hand. Errors: 22004, 22023, 55000 when nobody had bought. 拟合购买模型';
REVOKE ALL ON FUNCTION crm.fit_purchase_model(date, bigint, text) FROM PUBLIC;

-- Which model is for whom: of the nearest unit above, of the channel before all, one that converged before others, the latest. One without any repeat purchase
-- foretells nothing.
CREATE VIEW crm._purchase_model_for AS
SELECT DISTINCT ON (c.org_id, c.channel_id) c.org_id, c.channel_id, m.id, m.converged, m.purchases, m.value
FROM (SELECT o.id AS org_id, h.id AS channel_id FROM crm.organisation o CROSS JOIN crm.channel h) c
JOIN (SELECT DISTINCT ON (x.org_id, x.channel_id) x.id, x.org_id, x.channel_id, x.converged, x.purchases, x.value
      FROM crm.purchase_model x WHERE x.repeaters > 0 AND x.as_of <= (SELECT crm.today())
      ORDER BY x.org_id, x.channel_id, x.converged DESC, x.as_of DESC, x.id DESC) m ON m.channel_id IS NULL OR m.channel_id = c.channel_id
LEFT JOIN crm.organisation_tree t ON t.ancestor_id = m.org_id AND t.descendant_id = c.org_id
WHERE m.org_id IS NULL OR t.depth IS NOT NULL
ORDER BY c.org_id, c.channel_id, t.depth NULLS LAST, m.channel_id IS NULL;
COMMENT ON VIEW crm._purchase_model_for IS 'The model in use for each unit and channel on crm.today().';

GRANT SELECT ON crm.purchase_model, crm._purchase_model_for TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.fit_purchase_model(date, bigint, text)'),
  ('manager', 'SELECT', 'TABLE', 'crm.purchase_model');
