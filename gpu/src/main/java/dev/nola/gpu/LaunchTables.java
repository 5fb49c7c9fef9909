package dev.nola.gpu;

import java.util.List;

/**
 * A tile table on a device.
 *
 * @param factors the factors
 * @param tiles for each block, the index of its factor
 * @param count number of blocks
 */
record LaunchTables(DeviceMemory factors, DeviceMemory tiles, int count) implements AutoCloseable {
  /** Copies a table to a device. */
  static LaunchTables of(CudaDevice device, TileTable table) {
    DeviceMemory factors = table.uploadFactors(device);
    try {
      return new LaunchTables(factors, table.uploadTiles(device), table.tiles());
    } catch (RuntimeException e) {
      Releases.after(e, factors::close);
      throw e;
    }
  }

  @Override
  public void close() {
    Releases.runAll(List.of(factors::close, tiles::close));
  }
}
