package dev.nola.registry.catalog;

import java.util.ArrayList;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;

/**
 * A response with status 200 that is written once for many requests.
 *
 * @param headers beside those that every response has; one for each value
 * @param body its bytes
 */
record KeptAnswer(List<Header> headers, byte[] body) {
  /** A header with one value. */
  record Header(String name, String value) {}

  static KeptAnswer of(HttpHeaders headers, byte[] body) {
    List<Header> all = new ArrayList<>();
    headers.forEach((name, values) -> values.forEach(value -> all.add(new Header(name, value))));
    return new KeptAnswer(List.copyOf(all), body);
  }

  /** Returns the response in the form that Spring MVC sends. */
  ResponseEntity<byte[]> toResponse() {
    ResponseEntity.BodyBuilder response = ResponseEntity.ok();
    headers.forEach(header -> response.header(header.name(), header.value()));
    return response.body(body);
  }
}
