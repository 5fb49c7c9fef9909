-- What Hugging Face's clients see of an adapter's file beside its bytes: a LoRA whose tensors are made
-- when they are read. Derived once from the file, since its digest and the error of its rounding are
-- known only when all of it was made.

create table hub_folder (
  digest text primary key, -- of the file
  layout int not null, -- of the code that derived the row
  card bytea not null,
  config bytea, -- null: no LoRA can be made, and the card says why
  weights_size bigint,
  weights_digest text,
  check ((config is null) = (weights_size is null) and (config is null) = (weights_digest is null))
);
