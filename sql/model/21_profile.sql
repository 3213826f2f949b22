-- book: what is known about a customer beside name and policies

CREATE TABLE crm.profile_code (
  field text NOT NULL CHECK (field IN ('employment_status', 'position_type', 'industry', 'marital_status', 'social_role', 'education', 'asset_band', 'income_band', 'language')),
  code text NOT NULL CHECK (code ~ '^[a-z0-9_]+$'),
  position integer NOT NULL,
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL CHECK (pg_catalog.btrim(name_zh) <> ''),
  from_amount numeric(15,2) CHECK (from_amount >= 0 AND from_amount <> 'NaN'),
  to_amount numeric(15,2) CHECK (to_amount <> 'NaN'),
  PRIMARY KEY (field, code),
  CHECK (to_amount > from_amount),
  CHECK (field IN ('asset_band', 'income_band') OR from_amount IS NULL AND to_amount IS NULL)
);
COMMENT ON TABLE crm.profile_code IS 'What the coded columns of crm.profile may say; rows may be added. 基础资料代码';
COMMENT ON COLUMN crm.profile_code.field IS 'Column of crm.profile.';
COMMENT ON COLUMN crm.profile_code.code IS 'Code that stands there.';
COMMENT ON COLUMN crm.profile_code.position IS 'Order in which to show the codes of a column.';
COMMENT ON COLUMN crm.profile_code.name IS 'Name in English.';
COMMENT ON COLUMN crm.profile_code.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.profile_code.from_amount IS 'Least amount of a band.';
COMMENT ON COLUMN crm.profile_code.to_amount IS 'Least amount above the band; NULL: none.';
INSERT INTO crm.profile_code (field, code, position, name, name_zh, from_amount, to_amount) VALUES
  ('employment_status', 'employed', 1, 'employed', '在职', NULL, NULL),
  ('employment_status', 'self_employed', 2, 'self-employed', '自雇', NULL, NULL),
  ('employment_status', 'business_owner', 3, 'business owner', '企业主', NULL, NULL),
  ('employment_status', 'farmer', 4, 'farmer', '务农', NULL, NULL),
  ('employment_status', 'migrant_worker', 5, 'working away from home', '外出务工', NULL, NULL),
  ('employment_status', 'student', 6, 'student', '学生', NULL, NULL),
  ('employment_status', 'homemaker', 7, 'homemaker', '家庭主妇（夫）', NULL, NULL),
  ('employment_status', 'retired', 8, 'retired', '退休', NULL, NULL),
  ('employment_status', 'unemployed', 9, 'unemployed', '待业', NULL, NULL),
  ('position_type', 'senior_manager', 1, 'senior manager', '高层管理', NULL, NULL),
  ('position_type', 'middle_manager', 2, 'middle manager', '中层管理', NULL, NULL),
  ('position_type', 'professional', 3, 'professional or technical', '专业技术', NULL, NULL),
  ('position_type', 'official', 4, 'civil servant', '公务员', NULL, NULL),
  ('position_type', 'clerk', 5, 'clerk', '一般职员', NULL, NULL),
  ('position_type', 'sales', 6, 'sales or service', '销售或服务', NULL, NULL),
  ('position_type', 'worker', 7, 'worker', '工人', NULL, NULL),
  ('position_type', 'soldier', 8, 'soldier', '军人', NULL, NULL),
  ('position_type', 'other', 9, 'other', '其他', NULL, NULL),
  ('industry', 'agriculture', 1, 'agriculture, forestry, fishing', '农林牧渔业', NULL, NULL),
  ('industry', 'mining', 2, 'mining', '采矿业', NULL, NULL),
  ('industry', 'manufacturing', 3, 'manufacturing', '制造业', NULL, NULL),
  ('industry', 'utilities', 4, 'electricity, gas, water', '电力燃气水业', NULL, NULL),
  ('industry', 'construction', 5, 'construction', '建筑业', NULL, NULL),
  ('industry', 'transport', 6, 'transport and post', '交通运输和邮政业', NULL, NULL),
  ('industry', 'information', 7, 'information and software', '信息软件业', NULL, NULL),
  ('industry', 'trade', 8, 'wholesale and retail', '批发零售业', NULL, NULL),
  ('industry', 'hospitality', 9, 'hotels and restaurants', '住宿餐饮业', NULL, NULL),
  ('industry', 'finance', 10, 'finance', '金融业', NULL, NULL),
  ('industry', 'real_estate', 11, 'real estate', '房地产业', NULL, NULL),
  ('industry', 'business_services', 12, 'leasing and business services', '租赁商务服务业', NULL, NULL),
  ('industry', 'science', 13, 'research and technical services', '科研技术服务业', NULL, NULL),
  ('industry', 'education', 14, 'education', '教育', NULL, NULL),
  ('industry', 'health', 15, 'health and social work', '卫生和社会工作', NULL, NULL),
  ('industry', 'culture', 16, 'culture, sports, entertainment', '文化体育娱乐业', NULL, NULL),
  ('industry', 'public', 17, 'public administration', '公共管理', NULL, NULL),
  ('industry', 'military', 18, 'armed forces', '军队', NULL, NULL),
  ('industry', 'other', 19, 'other', '其他', NULL, NULL),
  ('marital_status', 'single', 1, 'single', '未婚', NULL, NULL),
  ('marital_status', 'married', 2, 'married', '已婚', NULL, NULL),
  ('marital_status', 'divorced', 3, 'divorced', '离异', NULL, NULL),
  ('marital_status', 'widowed', 4, 'widowed', '丧偶', NULL, NULL),
  ('social_role', 'ordinary', 1, 'ordinary resident', '普通居民', NULL, NULL),
  ('social_role', 'community_leader', 2, 'leader in the community', '社区带头人', NULL, NULL),
  ('social_role', 'village_official', 3, 'village official', '村干部', NULL, NULL),
  ('social_role', 'teacher', 4, 'teacher', '教师', NULL, NULL),
  ('social_role', 'doctor', 5, 'doctor', '医生', NULL, NULL),
  ('social_role', 'entrepreneur', 6, 'entrepreneur', '企业家', NULL, NULL),
  ('social_role', 'association_member', 7, 'member of an association', '协会成员', NULL, NULL),
  ('social_role', 'public_figure', 8, 'public figure', '公众人物', NULL, NULL),
  ('education', 'primary', 1, 'primary school or less', '小学及以下', NULL, NULL),
  ('education', 'junior', 2, 'junior secondary school', '初中', NULL, NULL),
  ('education', 'senior', 3, 'senior secondary or vocational school', '高中或中专', NULL, NULL),
  ('education', 'college', 4, 'junior college', '大专', NULL, NULL),
  ('education', 'bachelor', 5, 'bachelor', '本科', NULL, NULL),
  ('education', 'master', 6, 'master', '硕士', NULL, NULL),
  ('education', 'doctor', 7, 'doctor', '博士', NULL, NULL),
  ('language', 'mandarin', 1, 'Mandarin', '普通话', NULL, NULL),
  ('language', 'cantonese', 2, 'Cantonese', '粤语', NULL, NULL),
  ('language', 'min_nan', 3, 'Southern Min', '闽南语', NULL, NULL),
  ('language', 'hakka', 4, 'Hakka', '客家话', NULL, NULL),
  ('language', 'wu', 5, 'Wu', '吴语', NULL, NULL),
  ('language', 'mongolian', 6, 'Mongolian', '蒙古语', NULL, NULL),
  ('language', 'tibetan', 7, 'Tibetan', '藏语', NULL, NULL),
  ('language', 'uyghur', 8, 'Uyghur', '维吾尔语', NULL, NULL),
  ('language', 'english', 9, 'English', '英语', NULL, NULL),
  ('language', 'sign', 10, 'sign language', '手语', NULL, NULL),
  ('asset_band', 'a0', 1, 'below 10,000', '1万元以下', 0, 10000),
  ('asset_band', 'a1', 2, '10,000 to 50,000', '1万至5万元', 10000, 50000),
  ('asset_band', 'a2', 3, '50,000 to 200,000', '5万至20万元', 50000, 200000),
  ('asset_band', 'a3', 4, '200,000 to 500,000', '20万至50万元', 200000, 500000),
  ('asset_band', 'a4', 5, '500,000 to 1 million', '50万至100万元', 500000, 1000000),
  ('asset_band', 'a5', 6, '1 to 5 million', '100万至500万元', 1000000, 5000000),
  ('asset_band', 'a6', 7, '5 million and above', '500万元以上', 5000000, NULL),
  ('income_band', 'i0', 1, 'below 30,000 a year', '年收入3万元以下', 0, 30000),
  ('income_band', 'i1', 2, '30,000 to 60,000 a year', '年收入3万至6万元', 30000, 60000),
  ('income_band', 'i2', 3, '60,000 to 120,000 a year', '年收入6万至12万元', 60000, 120000),
  ('income_band', 'i3', 4, '120,000 to 300,000 a year', '年收入12万至30万元', 120000, 300000),
  ('income_band', 'i4', 5, '300,000 to 1 million a year', '年收入30万至100万元', 300000, 1000000),
  ('income_band', 'i5', 6, '1 million a year and above', '年收入100万元以上', 1000000, NULL);

CREATE TABLE crm.profile (
  customer_id bigint PRIMARY KEY REFERENCES crm.customer ON DELETE CASCADE,
  employment_status text,
  position_type text,
  industry text,
  employer text CHECK (pg_catalog.btrim(employer) <> ''),
  marital_status text,
  social_role text,
  children integer CHECK (children BETWEEN 0 AND 30),
  education text,
  asset_band text,
  income_band text,
  investable_amount numeric(15,2) CHECK (investable_amount >= 0 AND investable_amount <> 'NaN'),
  debt_amount numeric(15,2) CHECK (debt_amount >= 0 AND debt_amount <> 'NaN'),
  language text,
  community_id bigint REFERENCES crm.community,
  verified_on date CHECK (verified_on BETWEEN '1900-01-01' AND '2199-12-31'),
  verified_source text CHECK (pg_catalog.btrim(verified_source) <> ''),
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  updated_by text NOT NULL DEFAULT crm.actor(),
  CONSTRAINT profile_verified_check CHECK ((verified_on IS NULL) = (verified_source IS NULL))
);
COMMENT ON TABLE crm.profile IS 'Profile of a customer; of a company industry, bands, amounts, language and community only. Earlier values stand in crm.customer_change. 客户基础资料';
COMMENT ON COLUMN crm.profile.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.profile.employment_status IS 'Employment, a code of crm.profile_code. 就业状况';
COMMENT ON COLUMN crm.profile.position_type IS 'Type of position, a code. 职务类型';
COMMENT ON COLUMN crm.profile.industry IS 'Industry, a code. 行业';
COMMENT ON COLUMN crm.profile.employer IS 'Name of the employer. 工作单位';
COMMENT ON COLUMN crm.profile.marital_status IS 'Marital state, a code. 婚姻状况';
COMMENT ON COLUMN crm.profile.social_role IS 'Social role, a code. 社会角色';
COMMENT ON COLUMN crm.profile.children IS 'Number of children. 子女数';
COMMENT ON COLUMN crm.profile.education IS 'Education, a code. 学历';
COMMENT ON COLUMN crm.profile.asset_band IS 'Band of all assets, a code. 资产规模';
COMMENT ON COLUMN crm.profile.income_band IS 'Band of yearly income, a code; of a company of yearly turnover. 收入水平';
COMMENT ON COLUMN crm.profile.investable_amount IS 'Amount that could be invested. 可投资金额';
COMMENT ON COLUMN crm.profile.debt_amount IS 'Debts altogether; single ones stand in crm.debt. 负债';
COMMENT ON COLUMN crm.profile.language IS 'Language in which the customer is best spoken to, a code. 沟通语言';
COMMENT ON COLUMN crm.profile.community_id IS 'Community in which the customer lives. 居住社区';
COMMENT ON COLUMN crm.profile.verified_on IS 'Day on which it was last found right. 核实日期';
COMMENT ON COLUMN crm.profile.verified_source IS 'How: claim, servicing, visit, call and so on. 核实来源';
COMMENT ON COLUMN crm.profile.updated_at IS 'Last change.';
COMMENT ON COLUMN crm.profile.updated_by IS 'Who changed it.';

CREATE FUNCTION crm._profile_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  field text;
  value text;
BEGIN
  IF NOT crm._merging() THEN
    NEW.updated_at := now();
    NEW.updated_by := crm.actor();
  END IF;
  FOR field, value IN
    SELECT f.field, f.value
    FROM (VALUES ('employment_status', NEW.employment_status), ('position_type', NEW.position_type), ('industry', NEW.industry),
                 ('marital_status', NEW.marital_status), ('social_role', NEW.social_role), ('education', NEW.education),
                 ('asset_band', NEW.asset_band), ('income_band', NEW.income_band), ('language', NEW.language)) f (field, value)
    LEFT JOIN crm.profile_code c ON c.field = f.field AND c.code = f.value
    WHERE f.value IS NOT NULL AND c.code IS NULL
  LOOP
    RAISE EXCEPTION '% "%" is not known', replace(field, '_', ' '), value
      USING ERRCODE = 'foreign_key_violation', HINT = format('Rows of crm.profile_code with field %s list the codes.', field);
  END LOOP;
  IF num_nonnulls(NEW.employment_status, NEW.position_type, NEW.employer, NEW.marital_status, NEW.social_role, NEW.children, NEW.education) > 0
     AND EXISTS (SELECT FROM crm.customer c WHERE c.id = NEW.customer_id AND c.kind = 'company') THEN
    RAISE EXCEPTION 'customer "%" is a company', NEW.customer_id
      USING ERRCODE = 'check_violation', HINT = 'Of a company a profile has industry, bands, amounts, language and community only.';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._profile_check() IS 'Trigger: codes must stand in crm.profile_code, companies have no personal fields; stamps the change. Errors: 23503, 23514.';
REVOKE ALL ON FUNCTION crm._profile_check() FROM PUBLIC;
CREATE TRIGGER check_profile BEFORE INSERT OR UPDATE ON crm.profile
  FOR EACH ROW EXECUTE FUNCTION crm._profile_check();
CREATE TRIGGER keep_change AFTER UPDATE OR DELETE ON crm.profile
  FOR EACH ROW EXECUTE FUNCTION crm._keep_change();

CREATE FUNCTION crm._profile_code_used() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.field, NEW.code) = (OLD.field, OLD.code) THEN
    RETURN NEW;
  ELSIF EXISTS (SELECT FROM crm.profile p
                WHERE OLD.code = CASE OLD.field WHEN 'employment_status' THEN p.employment_status WHEN 'position_type' THEN p.position_type
                  WHEN 'industry' THEN p.industry WHEN 'marital_status' THEN p.marital_status WHEN 'social_role' THEN p.social_role
                  WHEN 'education' THEN p.education WHEN 'asset_band' THEN p.asset_band WHEN 'language' THEN p.language ELSE p.income_band END)
        OR OLD.field = 'language' AND EXISTS (SELECT FROM crm.staff_skill s WHERE s.kind = 'language' AND s.value = OLD.code) THEN
    RAISE EXCEPTION '% "%" is in use', replace(OLD.field, '_', ' '), OLD.code
      USING ERRCODE = 'foreign_key_violation', HINT = 'Correct crm.profile, and of languages crm.staff_skill, first.';
  END IF;
  RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
END
$$;
COMMENT ON FUNCTION crm._profile_code_used() IS 'Trigger: a code in use stays. Errors: 23503.';
REVOKE ALL ON FUNCTION crm._profile_code_used() FROM PUBLIC;
CREATE TRIGGER used BEFORE UPDATE OR DELETE ON crm.profile_code
  FOR EACH ROW EXECUTE FUNCTION crm._profile_code_used();

CREATE INDEX ON crm.profile (community_id);

GRANT SELECT ON crm.profile_code, crm.profile TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.profile_code'),
  ('manager', 'SELECT', 'TABLE', 'crm.profile');
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.profile', 'customer_id', 'fill', 'One row a customer.');
