package dev.nola.registry.web;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Type;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpInputMessage;
import org.springframework.http.HttpStatus;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.RequestBodyAdviceAdapter;

/**
 * Limits bodies that become objects in memory, which are many times their size; endpoints that
 * receive files read them from the request, with limits of their own.
 */
@ControllerAdvice
class JsonBodyLimit extends RequestBodyAdviceAdapter {
  private static final int MEGABYTE = 1 << 20;

  @Override
  public boolean supports(
      MethodParameter parameter,
      Type type,
      Class<? extends HttpMessageConverter<?>> converterType) {
    return true;
  }

  @Override
  public HttpInputMessage beforeBodyRead(
      HttpInputMessage message,
      MethodParameter parameter,
      Type type,
      Class<? extends HttpMessageConverter<?>> converterType)
      throws IOException {
    MaxBody annotation = parameter.getMethodAnnotation(MaxBody.class);
    int limit = annotation == null ? MEGABYTE : annotation.megabytes() * MEGABYTE;
    if (message.getHeaders().getContentLength() > limit) {
      throw tooLarge(limit);
    }
    return new Message(message.getHeaders(), new Limited(message.getBody(), limit));
  }

  private static Refusal tooLarge(int limit) {
    return Refusal.of(
        HttpStatus.CONTENT_TOO_LARGE,
        "too-large",
        "JSON body too large; the limit is %d bytes".formatted(limit));
  }

  private static final class Message implements HttpInputMessage {
    private final HttpHeaders headers;
    private final InputStream body;

    Message(HttpHeaders headers, InputStream body) {
      this.headers = headers;
      this.body = body;
    }

    @Override
    public HttpHeaders getHeaders() {
      return headers;
    }

    @Override
    public InputStream getBody() {
      return body;
    }
  }

  /** Throws the refusal once more was read than allowed: a body may not tell its length. */
  private static final class Limited extends FilterInputStream {
    private final int limit;
    private long count;

    Limited(InputStream in, int limit) {
      super(in);
      this.limit = limit;
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      count(value < 0 ? 0 : 1);
      return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int read = super.read(bytes, offset, length);
      count(Math.max(0, read));
      return read;
    }

    private void count(int read) {
      count += read;
      if (count > limit) {
        throw tooLarge(limit);
      }
    }
  }
}
