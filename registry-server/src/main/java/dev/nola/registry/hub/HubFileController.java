package dev.nola.registry.hub;

import dev.nola.client.export.peft.PeftFolder;
import dev.nola.format.AdapterFile;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.FileResponses;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.DownloadCounter;
import dev.nola.registry.catalog.VersionHeaders;
import dev.nola.registry.signing.ModelSigner;
import dev.nola.registry.web.IgnoresUnknownParameters;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Hidden;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.request.ServletWebRequest;

/** Endpoint to download the files of repositories. */
@RestController
@RequestMapping("/hf")
@Hidden
@IgnoresUnknownParameters
class HubFileController {
  private static final MediaType TEXT = new MediaType(MediaType.TEXT_PLAIN, StandardCharsets.UTF_8);
  private static final MediaType ADAPTER = MediaType.parseMediaType(AdapterFile.MEDIA_TYPE);

  private final RepositoryFinder repositories;
  private final VersionHeaders versionHeaders;
  private final BlobReader blobs;
  private final LoraParts parts;
  private final DownloadCounter downloads;

  HubFileController(
      RepositoryFinder repositories,
      VersionHeaders versionHeaders,
      BlobReader blobs,
      LoraParts parts,
      DownloadCounter downloads) {
    this.repositories = repositories;
    this.versionHeaders = versionHeaders;
    this.blobs = blobs;
    this.parts = parts;
    this.downloads = downloads;
  }

  @GetMapping("/{namespace}/{name}/resolve/{revision}/{*path}")
  ResponseEntity<Resource> download(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @PathVariable String path,
      ServletWebRequest request,
      Caller caller)
      throws IOException {
    String wanted = path.substring(1);
    HubRepository repository =
        repositories.findForFile(caller, new AdapterName(namespace, name), revision, wanted);
    RepositoryFile file =
        repository.find(wanted).orElseThrow(() -> HubErrors.entryNotFound(wanted, repository));
    HttpHeaders headers =
        wanted.equals(ModelSigner.FILE)
            ? versionHeaders.ofChanging(repository.version()) // with the registry's key
            : versionHeaders.of(repository.version());
    headers.set(HubErrors.COMMIT, repository.commit());
    return FileResponses.of(
        request,
        new FileResponses.Description(file.tag(), file.size(), type(file), headers),
        () -> bytes(file, repository, caller),
        () -> {
          if (file instanceof RepositoryFile.Large) {
            downloads.count(repository.version());
          }
        });
  }

  /** Refuses all other paths, such as those of datasets, spaces and models without a namespace. */
  @GetMapping("/{*path}")
  ResponseEntity<Resource> other(@PathVariable String path) {
    throw HubErrors.repositoryNotFound(Refusal.notFound("repository at " + path));
  }

  private static MediaType type(RepositoryFile file) {
    return switch (file.path()) {
      case HubRepository.ADAPTER -> ADAPTER;
      case PeftFolder.WEIGHTS -> MediaType.APPLICATION_OCTET_STREAM;
      case PeftFolder.CONFIG -> MediaType.APPLICATION_JSON;
      default -> TEXT;
    };
  }

  private BlobStore.Blob bytes(RepositoryFile file, HubRepository repository, Caller caller)
      throws IOException {
    return switch (file) {
      case RepositoryFile.Text text -> new TextBlob(text.bytes());
      case RepositoryFile.Large large when large.path().equals(HubRepository.ADAPTER) ->
          blobs.get(large.digest());
      case RepositoryFile.Large weights ->
          new MadeWeights(
              parts,
              new LoraMaker.Source(
                  caller.account(), repository.version().digest(), repository.version().size()),
              weights.size());
    };
  }

  /** A small file, in memory. */
  private record TextBlob(byte[] bytes) implements BlobStore.Blob {
    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public Object identity() {
      return bytes;
    }

    @Override
    public InputStream open(long offset, long length) {
      Objects.checkFromIndexSize(offset, length, bytes.length);
      return new ByteArrayInputStream(bytes, (int) offset, (int) length);
    }
  }
}
