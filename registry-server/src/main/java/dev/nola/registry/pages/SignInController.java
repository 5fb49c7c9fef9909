package dev.nola.registry.pages;

import dev.nola.registry.access.SignIn;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
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

  SignInController(SignIn sessions) {
    this.sessions = sessions;
  }

  @GetMapping("/sign-in")
  String form(@RequestParam(defaultValue = HOME) String next, Model model) {
    model.addAttribute("next", ownPath(next));
    return "sign-in";
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
      model.addAttribute("next", ownPath(next));
      model.addAttribute("problem", refused.getMessage());
      return "sign-in";
    }
    return "redirect:" + ownPath(next);
  }

  @PostMapping("/sign-out")
  String signOut(HttpServletRequest request) {
    sessions.end(request);
    return "redirect:" + HOME;
  }

  /** Returns a path of this server: a link must not make the sign-in lead to another site. */
  private static String ownPath(String next) {
    return next.matches("/(?![/\\\\])[!-\\[\\]-~]*") ? next : HOME;
  }
}
