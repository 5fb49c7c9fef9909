-- A search for words and one of these reads the adapters that have it, latest first, until enough of them have the words.
create index listing_rank on listing (rank, updated_at desc, adapter_id desc);
create index listing_bits on listing (bits, updated_at desc, adapter_id desc);
create index listing_generator on listing (generator, updated_at desc, adapter_id desc);
