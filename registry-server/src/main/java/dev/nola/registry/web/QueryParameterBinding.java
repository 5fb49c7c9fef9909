package dev.nola.registry.web;

import org.springframework.web.bind.WebDataBinder;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.bind.annotation.InitBinder;
import org.springframework.web.servlet.support.ExtendedServletRequestDataBinder;

/** Binds records of query parameters to the query only, not to headers of the same names. */
@ControllerAdvice
class QueryParameterBinding {
  @InitBinder
  void ignoreHeaders(WebDataBinder binder) {
    if (binder instanceof ExtendedServletRequestDataBinder extended) {
      extended.setHeaderPredicate(_ -> false);
    }
  }
}
