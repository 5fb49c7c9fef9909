-- A token that was minted with another ends with it.

alter table token add column parent_id uuid references token;
create index token_parent on token (parent_id) where parent_id is not null;

-- Whose children the tokens are that accounts minted for themselves, is in the audit log. Those that an
-- admin issued to other accounts stay independent: nobody expected them to end with the admin's token.
update token t set parent_id = p.id
  from audit a join token p on p.id = a.token_id
  where a.action = 'token.create' and a.subject = t.id::text and p.account = t.account and p.id <> t.id;
