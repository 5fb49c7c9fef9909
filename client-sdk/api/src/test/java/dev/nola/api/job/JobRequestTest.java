package dev.nola.api.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.api.InvalidValueException;
import dev.nola.api.json.NolaModule;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JobRequestTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"train\",\"priority\":3,\"train\":{\"adapter\":\"a/b\",\"version\":\"1.0.0\","
            + "\"dataset\":\"a/d\",\"job\":{\"run\":{\"steps\":5}},\"cuda\":true}}",
        "{\"type\":\"verify\",\"verify\":{\"adapter\":\"a/b\",\"version\":\"1.0.0\","
            + "\"backend\":\"scalar\"}}",
        "{\"type\":\"export\",\"export\":{\"adapter\":\"a/b\",\"version\":\"1.0.0\","
            + "\"type\":\"bf16\"}}"
      })
  void request_readFromJson_isWrittenAsItWas(String json) {
    JobRequest request = NolaModule.mapper().readValue(json, JobRequest.class);

    assertThat(NolaModule.mapper().writeValueAsString(request)).isEqualTo(json);
    assertThat(request.type()).isEqualTo(request.work().type());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"verify\"}",
        "{\"type\":\"verify\",\"export\":{\"adapter\":\"a/b\",\"version\":\"1.0.0\"}}"
      })
  void requestWithoutThePartOfItsType_isRefused(String json) {
    assertThatThrownBy(() -> NolaModule.mapper().readValue(json, JobRequest.class))
        .cause()
        .isInstanceOf(InvalidValueException.class)
        .hasMessage("wrong members for type verify; must be exactly the member of the same name");
  }
}
