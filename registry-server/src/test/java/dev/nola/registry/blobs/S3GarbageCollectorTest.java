package dev.nola.registry.blobs;

import java.nio.file.Path;

class S3GarbageCollectorTest extends GarbageCollectorTest {
  @Override
  StoreFixture create(Path folder) {
    return S3Fixture.create(folder);
  }

  @Override
  int rounds() {
    return 10;
  }
}
