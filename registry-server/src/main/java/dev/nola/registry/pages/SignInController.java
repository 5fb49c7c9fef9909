package dev.nola.registry.pages;

import dev.nola.registry.access.Caller;
import dev.nola.registry.access.SignIn;
import dev.nola.registry.access.SignInMethod;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Optional;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;

/** Pages to sign in with a token, and to sign out. */
@Controller
@Hidden
class SignInController {
  private static final String HOME = "/";

  private final SignIn sessions;
  private final Optional<SignInMethod> method;

  SignInController(SignIn sessions, Optional<SignInMethod> method) {
    this.sessions = sessions;
    this.method = method;
  }

  @GetMapping("/sign-in")
  String show(@RequestParam(defaultValue = HOME) String next, Caller caller, Model model) {
    return Viewer.of(caller).signedIn() ? "redirect:" + SignIn.ownPath(next) : form(next, model);
  }

  @PostMapping("/sign-in")
  String signIn(
      @RequestParam String token,
      @RequestParam(defaultValue = HOME) String next,
      HttpServletRequest request,
      HttpServletResponse response,
      Model model) {
    try {
      sessions.open(request, token);
    } catch (Refusal refused) {
      response.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
      model.addAttribute("problem", refused.getMessage());
      return form(next, model);
    }
    return "redirect:" + SignIn.ownPath(next);
  }

  private String form(String next, Model model) {
    model.addAttribute("next", SignIn.ownPath(next));
    method.ifPresent(present -> model.addAttribute("method", present));
    return "sign-in";
  }

  @PostMapping("/sign-out")
  String signOut(HttpServletRequest request) {
    sessions.end(request);
    return "redirect:" + HOME;
  }
}
