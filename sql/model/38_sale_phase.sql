-- classify: what a sale is to bring in each of its phases

CREATE TABLE crm.sale_phase (
  campaign text NOT NULL CHECK (pg_catalog.btrim(campaign) <> ''),
  phase integer NOT NULL CHECK (phase >= 1),
  org_id bigint NOT NULL REFERENCES crm.organisation,
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  from_date date NOT NULL CHECK (from_date BETWEEN '1900-01-01' AND '2199-12-31'),
  to_date date NOT NULL CHECK (to_date BETWEEN '1900-01-01' AND '2199-12-31'),
  basis text NOT NULL DEFAULT 'premium' CHECK (basis IN ('premium', 'amount', 'balance')),
  category_id bigint REFERENCES crm.product_category,
  target numeric(15,2) NOT NULL CHECK (target > 0 AND target <> 'NaN'),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (campaign, phase, org_id),
  CHECK (to_date >= from_date)
);
COMMENT ON TABLE crm.sale_phase IS 'Targets of a sale by phase and unit: a phase is a day or several, and may lie within another. 阶段目标';
COMMENT ON COLUMN crm.sale_phase.campaign IS 'Code of the campaign.';
COMMENT ON COLUMN crm.sale_phase.phase IS 'Which phase, from 1.';
COMMENT ON COLUMN crm.sale_phase.org_id IS 'Unit with its subtree.';
COMMENT ON COLUMN crm.sale_phase.name IS 'Name of the phase.';
COMMENT ON COLUMN crm.sale_phase.from_date IS 'First day.';
COMMENT ON COLUMN crm.sale_phase.to_date IS 'Last day.';
COMMENT ON COLUMN crm.sale_phase.basis IS 'What is counted: premium 首期保费 or amount 合同保费 of policies issued, or balance 余额, the first one of holdings opened.';
COMMENT ON COLUMN crm.sale_phase.category_id IS 'Only products of this category and below; NULL: all.';
COMMENT ON COLUMN crm.sale_phase.target IS 'Target.';
COMMENT ON COLUMN crm.sale_phase.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.sale_phase.set_by IS 'Who set it.';
CREATE INDEX ON crm.sale_phase (org_id);
CREATE INDEX ON crm.sale_phase (category_id);
CREATE TRIGGER stamp BEFORE UPDATE ON crm.sale_phase FOR EACH ROW EXECUTE FUNCTION crm._stamp();

GRANT SELECT ON crm.sale_phase TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.sale_phase'),
  ('manager', 'INSERT', 'TABLE', 'crm.sale_phase'),
  ('manager', 'UPDATE', 'TABLE', 'crm.sale_phase'),
  ('manager', 'DELETE', 'TABLE', 'crm.sale_phase');
