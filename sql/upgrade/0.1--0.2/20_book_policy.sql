-- book: cover with what the dimensions need

DROP VIEW crm._cover_source;
TRUNCATE crm.cover;
ALTER TABLE crm.cover
  ADD COLUMN matures boolean NOT NULL,
  ADD COLUMN lapsed_to date,
  ADD COLUMN servicer_id bigint,
  ADD COLUMN agent_sold boolean NOT NULL,
  ADD COLUMN bank_sold boolean NOT NULL,
  ADD COLUMN sector_line boolean NOT NULL,
  ADD COLUMN corporate boolean NOT NULL,
  ADD COLUMN tier_amount bigint NOT NULL;
@model/20_book_policy crm.cover comments

@model/20_book_policy crm._cover_source
@model/20_book_policy crm._derive_cover
