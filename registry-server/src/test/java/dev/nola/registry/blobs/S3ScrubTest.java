package dev.nola.registry.blobs;

import java.nio.file.Path;

class S3ScrubTest extends ScrubTest {
  @Override
  StoreFixture create(Path folder) {
    return S3Fixture.create(folder);
  }
}
