package dev.nola.registry.pages;

import dev.nola.registry.access.Caller;
import dev.nola.registry.web.ServerAddress;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.bind.annotation.ModelAttribute;

/** Adds what every page shows. */
@ControllerAdvice(basePackageClasses = PageModel.class)
class PageModel {
  private final Show show;

  PageModel(Show show) {
    this.show = show;
  }

  @ModelAttribute
  void add(Model model, Caller caller, HttpServletRequest request) {
    model.addAttribute("show", show);
    model.addAttribute("viewer", Viewer.of(caller));
    model.addAttribute("address", ServerAddress.of(request.getServletPath(), request));
  }
}
