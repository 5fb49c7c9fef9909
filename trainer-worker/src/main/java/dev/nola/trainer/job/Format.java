package dev.nola.trainer.job;

/** Formats of data files; format and task together determine the layout. */
enum Format {
  E2E,
  JSONL,
  TSV,
  CSV,
  TEXT,
  CHAT,
  IDX,
  IMAGES
}
