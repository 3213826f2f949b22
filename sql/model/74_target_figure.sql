-- target: its figure, which is made later than the import

ALTER TABLE crm.target ADD FOREIGN KEY (code) REFERENCES crm.kpi_code;
