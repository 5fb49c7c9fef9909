package dev.nola.client.peft;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;

/**
 * The model types of transformers 5, with the names that they have for their modules. A bare model
 * has {@code encoder.layer.0…} where one with a head has {@code bert.encoder.layer.0…}, and the
 * loaded model may have other names than the checkpoint.
 */
final class ModelFamilies {
  /** Model types by what models with a head call their transformer; {@code -} if they do not. */
  private static final String PREFIXES =
      """
      -: blip blip-2 clip encoder-decoder hgnet_v2 instructblip instructblipvideo kosmos-2
      -: kosmos-2.5 llama4 llama4_text longt5 metaclip_2 mt5 nemotron_h_omni pix2struct pop2piano
      -: pp_lcnet seamless_m4t seamless_m4t_v2 siglip siglip2 speech-encoder-decoder
      -: switch_transformers t5 udop umt5 vision-encoder-decoder
      albert: albert
      audio_spectrogram_transformer: audio-spectrogram-transformer
      backbone: falcon_mamba mamba mamba2 xlstm
      beit: beit
      bert: bert bert-generation big_bird megatron-bert
      biogpt: biogpt
      bit: bit
      bros: bros
      canine: canine
      convbert: convbert
      convnext: convnext
      convnextv2: convnextv2
      cpmant: cpmant
      cvt: cvt
      data2vec_audio: data2vec-audio
      data2vec_text: data2vec-text
      data2vec_vision: data2vec-vision
      deberta: deberta deberta-v2
      deit: deit
      dinat: dinat
      dinov2: dinov2
      dinov2_with_registers: dinov2_with_registers
      distilbert: distilbert
      donut: donut-swin
      efficientnet: efficientnet
      electra: electra
      ernie: ernie
      esm: esm
      esmc: esmc
      fnet: fnet
      focalnet: focalnet
      funnel: funnel
      git: git
      gpt_neox: gpt_neox
      gpt_neox_japanese: gpt_neox_japanese
      gte: gte
      hiera: hiera
      hubert: hubert
      ibert: ibert
      ijepa: ijepa
      layoutlm: layoutlm
      layoutlmv2: layoutlmv2
      layoutlmv3: layoutlmv3
      led: led
      levit: levit
      lilt: lilt
      longformer: longformer
      luke: luke
      markuplm: markuplm
      mobilebert: mobilebert
      mobilenet_v1: mobilenet_v1
      mobilenet_v2: mobilenet_v2
      mobilevit: mobilevit
      mobilevitv2: mobilevitv2
      model: afmoe apertus apertus1p5 apertus1p5_text arcee aria aria_text audioflamingo3 axk1
      model: axk2 aya_vision bailing_hybrid bamba bart beam bigbird_pegasus bitnet blenderbot
      model: blenderbot-small blt canary chameleon cohere cohere2 cohere2_moe cohere2_vision
      model: cohere_asr cohere_compass cohere_compass_text cosmos3_edge cosmos3_omni cwm
      model: deepseek_ocr2 deepseek_v2 deepseek_v3 deepseek_v32 deepseek_v4 deepseek_vl
      model: deepseek_vl_hybrid dia diffllama diffusion_gemma doge dory dots1 dots3_note
      model: dots3_note_text emu3 ernie4_5 ernie4_5_moe ernie4_5_vl_moe eurobert evolla exaone
      model: exaone4 exaone4_5 exaone_moe falcon_h1 fast_vlm flex_olmo flint florence2 fsmt
      model: fun_asr_nano fuyu gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text gemma4
      model: gemma4_assistant gemma4_text gemma4_unified gemma4_unified_assistant
      model: gemma4_unified_text glm glm4 glm46v glm4_moe glm4_moe_lite glm4v glm4v_moe glm5_next
      model: glm_moe_dsa glm_ocr glmasr glmga got_ocr2 gpt_oss granite granite4_vision
      model: granite_docling granite_speech granite_speech_plus granite_swa granitemoe
      model: granitemoe_swa granitemoehybrid granitemoeshared helium hrm_text hunyuan_v1_dense
      model: hunyuan_v1_moe hunyuan_vl hy_v3 hy_v4 hy_v4_vl hyperclovax hyperclovax_vision_v2
      model: idefics idefics2 idefics3 inkling2 inkling2_loop inkling2_loop_text inkling2_text
      model: inkling_mm_model inkling_text internlm3 internvl iquestcoder jais2 jamba janus jetmoe
      model: kimi_k25 kimi_linear kolibri1 kyutai_speech_to_text laguna lara_mini lfm2 lfm2_moe
      model: lfm2_vl lfm3 lfm3_vl lighton_ocr llama llava llava_next llava_next_video
      model: llava_onevision longcat_flash m2m_100 marian mbart mellum mimo_v2_flash minicpm3
      model: minicpm_ocr minicpmv4_6 minicpmv4_7 minimax minimax_m2 minimax_m3_vl
      model: minimax_m3_vl_text ministral ministral3 mistral mistral3 mistral4 mistral_large4
      model: mixtral mllama modernbert modernbert-decoder modernvbert molmo2 moonshine
      model: moonshine_streaming moshi moss_transcribe_diarize muse_glimmer muse_spark
      model: musicflamingo musicgen musicgen_melody mvp nanochat nemo_speechlm nemotron nemotron_h
      model: neomme nllb-moe olmo olmo2 olmo3 olmo_hybrid olmoe omniasr openai_privacy_filter opt
      model: ovis2 paddleocr_vl paligemma pegasus pegasus_x perception_lm persimmon phi phi3
      model: phi4_multimodal phimoe pi0 plbart pp_chart2table pp_formulanet qianfan_ocr qwen2
      model: qwen2_5_omni_thinker qwen2_5_vl qwen2_audio qwen2_moe qwen2_vl qwen3 qwen3_5
      model: qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen3_asr qwen3_moe qwen3_next
      model: qwen3_omni_moe_thinker qwen3_vl qwen3_vl_moe qwen4_exp qwen4_exp_text recurrent_gemma
      model: sarvam_mla sarvam_moe seed_oss shieldgemma2 smollm3 smolvlm solar_open speech_to_text
      model: stablelm starcoder2 step3p7 t5gemma t5gemma2 trocr ultrabert ultravbert unlimited_ocr
      model: vaultgemma vibevoice vibevoice_asr video_llama_3 video_llava vipllava voxtral
      model: voxtral_realtime whisper xglm youtu zamba zamba2 zaya
      mpnet: mpnet
      mra: mra
      nomic_bert: nomic_bert
      nystromformer: nystromformer
      perceiver: perceiver
      poolformer: poolformer
      prophetnet: prophetnet
      pvt: pvt
      pvt_v2: pvt_v2
      reformer: reformer
      regnet: regnet
      rembert: rembert
      resnet: resnet
      roberta: camembert jina_embeddings_v3 roberta xlm-roberta xlm-roberta-xl xmod
      roberta_prelayernorm: roberta-prelayernorm
      roc_bert: roc_bert
      roformer: roformer
      rwkv: rwkv
      segformer: segformer
      sew: sew
      sew_d: sew-d
      speecht5: speecht5
      swiftformer: swiftformer
      swin: swin
      swinv2: swinv2
      tapas: tapas
      textnet: textnet
      timm_model: timm_wrapper
      transformer: bloom codegen ctrl dbrx falcon flaubert gpt-sw3 gpt2 gpt_bigcode gpt_neo gptj
      transformer: imagegpt mpt openai-gpt squeezebert xlm xlnet
      unispeech: unispeech
      unispeech_sat: unispeech-sat
      vit: vit vit_msn
      wav2vec2: wav2vec2
      wav2vec2_bert: wav2vec2-bert
      wav2vec2_conformer: wav2vec2-conformer
      wavlm: wavlm
      yoso: yoso
      """;

  /** Model types whose models for a task call their transformer otherwise, by task and name. */
  private static final String TASK_PREFIXES =
      """
      QUESTION_ANS/transformer: arcee diffllama exaone4 llama qwen2 qwen3 qwen3_moe qwen3_next
      QUESTION_ANS/transformer: seed_oss smollm3
      SEQ_CLS/transformer: mt5 t5 umt5
      TOKEN_CLS/transformer: mt5 t5 umt5
      """;

  /** Model types by the rules that turn names of a checkpoint into those of the loaded model. */
  private static final String RENAMED =
      """
      vision: audio-spectrogram-transformer beit deit ijepa vit vit_mae vit_msn vivit
      windows: swin
      dino: dinov2 dinov2_with_registers
      wrapper: aria aya_vision gemma3 got_ocr2 internvl llava llava_next llava_next_video
      wrapper: llava_onevision mistral3 paligemma pp_chart2table video_llava vipllava
      images: qwen2_5_vl qwen2_vl
      sparse: minimax minimax_m2 mixtral
      """;

  /** Model types that transformers loads with the weights of all experts in one parameter. */
  private static final Set<String> FUSED_EXPERTS =
      Set.of(
          ("""
          afmoe beam cohere2_moe deepseek_v2 deepseek_v3 deepseek_v32 dots1 ernie4_5_moe
          exaone_moe flex_olmo glm4_moe glm4_moe_lite glm4v_moe glm_moe_dsa hunyuan_v1_moe
          longcat_flash mellum minimax minimax_m2 mixtral olmoe qwen2_moe qwen3_moe qwen3_next
          qwen3_omni_moe_thinker sarvam_mla solar_open
          """)
              .strip()
              .split("\\s+"));

  /** Types by names that only their bare models have. */
  private static final Map<Pattern, String> BARE_NAMES = new LinkedHashMap<>();

  /** Matches names that bare models of several types share, but models with a head do not. */
  private static final Pattern AMBIGUOUS =
      Pattern.compile(
          "((encoder|decoder)\\.layers?\\.\\d+|transformer\\.layer\\.\\d+|layers\\.\\d+\\.attention)\\..*");

  private static final Map<String, List<Rename>> RULES = new HashMap<>();

  static {
    RULES.put(
        "vision",
        List.of(
            new Rename(Pattern.compile("(?<![^.])encoder\\.layer\\.(?=\\d)"), "layers."),
            Rename.ofParts("attention.attention.query", "attention.q_proj"),
            Rename.ofParts("attention.attention.key", "attention.k_proj"),
            Rename.ofParts("attention.attention.value", "attention.v_proj"),
            Rename.ofParts("attention.output.dense", "attention.o_proj"),
            Rename.ofParts("intermediate.dense", "mlp.fc1"),
            Rename.ofParts("output.dense", "mlp.fc2")));
    RULES.put(
        "windows",
        List.of(
            Rename.ofParts("attention.self.query", "attention.q_proj"),
            Rename.ofParts("attention.self.key", "attention.k_proj"),
            Rename.ofParts("attention.self.value", "attention.v_proj"),
            Rename.ofParts("attention.output.dense", "attention.o_proj"),
            Rename.ofParts("intermediate.dense", "mlp.fc1"),
            Rename.ofParts("output.dense", "mlp.fc2")));
    RULES.put(
        "dino",
        List.of(
            Rename.ofParts("attention.attention.query", "attention.q_proj"),
            Rename.ofParts("attention.attention.key", "attention.k_proj"),
            Rename.ofParts("attention.attention.value", "attention.v_proj"),
            Rename.ofParts("attention.output.dense", "attention.o_proj"),
            Rename.ofParts("mlp.weights_out", "mlp.down_proj")));
    RULES.put(
        "wrapper",
        List.of(
            new Rename(Pattern.compile("^language_model\\.lm_head$"), "lm_head"),
            new Rename(Pattern.compile("^language_model\\.model\\."), "model.language_model."),
            new Rename(
                Pattern.compile(
                    "^(?=(language_model|(vision|image|video)_tower|multi_modal_projector)(\\.|$))"),
                "model."),
            Rename.ofParts("vision_tower.vision_model", "vision_tower")));
    RULES.put(
        "images",
        List.of(
            new Rename(Pattern.compile("^(?=visual\\.)"), "model."),
            new Rename(
                Pattern.compile("^model\\.(?!(language_model|visual)\\.)"),
                "model.language_model.")));
    RULES.put("sparse", List.of(Rename.ofParts("block_sparse_moe", "mlp")));
    BARE_NAMES.put(Pattern.compile("(h\\.\\d+|wte|wpe|ln_f)(\\..*)?"), "gpt2");
    BARE_NAMES.put(
        Pattern.compile("layers\\.\\d+\\.(attention\\.(query_key_value|dense)|mlp\\.dense_.*)"),
        "gpt_neox");
    BARE_NAMES.put(
        Pattern.compile("(layers\\.\\d+\\.(?!attention\\.).+|layers|embed_tokens|norm)"), "llama");
    BARE_NAMES.put(
        Pattern.compile(
            "language_model\\.(model\\..*|lm_head)|(model\\.)?vision_tower\\.vision_model\\..*|vision_tower\\..*|multi_modal_projector\\..*"),
        "llava");
    BARE_NAMES.put(Pattern.compile("(encoder|decoder)\\.block\\.\\d+\\.layer\\..*"), "t5");
  }

  private static final Map<String, ModelFamily> BY_TYPE = byType();

  /** For each prefix, such as {@code bert.}, the type of the same name, or else the first one. */
  private static final Map<String, String> TYPES_OF_PREFIX = typesOfPrefix();

  private ModelFamilies() {}

  private static Map<String, ModelFamily> byType() {
    Map<String, List<Rename>> renames = new HashMap<>();
    forEachType(RENAMED, (key, type) -> renames.put(type, RULES.get(key)));
    Map<String, Map<TaskType, String>> tasks = new HashMap<>();
    forEachType(
        TASK_PREFIXES,
        (key, type) ->
            tasks
                .computeIfAbsent(type, any -> new EnumMap<>(TaskType.class))
                .put(
                    TaskType.valueOf(key.substring(0, key.indexOf('/'))),
                    key.substring(key.indexOf('/') + 1) + "."));
    Map<String, ModelFamily> families = new HashMap<>();
    forEachType(
        PREFIXES,
        (key, type) ->
            families.put(
                type,
                new ModelFamily(
                    key.equals("-") ? "" : key + ".",
                    tasks.getOrDefault(type, Map.of()),
                    renames.getOrDefault(type, List.of()),
                    FUSED_EXPERTS.contains(type))));
    return Map.copyOf(families);
  }

  private static Map<String, String> typesOfPrefix() {
    Map<String, String> types = new HashMap<>();
    for (String type : new TreeSet<>(BY_TYPE.keySet())) {
      String prefix = BY_TYPE.get(type).prefix();
      if (!prefix.isEmpty() && (!types.containsKey(prefix) || prefix.equals(type + "."))) {
        types.put(prefix, type);
      }
    }
    types.put("model.", "llama");
    types.put("transformer.", "gpt2");
    return Map.copyOf(types);
  }

  private static void forEachType(String table, BiConsumer<String, String> receiver) {
    for (String line : table.strip().lines().toList()) {
      String[] words = line.strip().split(":? +");
      for (int i = 1; i < words.length; i++) {
        receiver.accept(words[0], words[i]);
      }
    }
  }

  /**
   * Finds the family of a model type.
   *
   * @param modelType what a config states, such as {@code bert}
   * @return the family; empty if the type is not known
   */
  static Optional<ModelFamily> ofType(String modelType) {
    return Optional.ofNullable(BY_TYPE.get(modelType));
  }

  /**
   * Guesses the family of a model from names of its modules.
   *
   * @param modules the names in a checkpoint
   * @return the family; empty if the names are of no known type, or of several
   */
  static Optional<ModelFamily> ofNames(Collection<String> modules) {
    for (String module : modules) {
      for (Map.Entry<Pattern, String> bare : BARE_NAMES.entrySet()) {
        if (bare.getKey().matcher(module).matches()) {
          return ofType(bare.getValue());
        }
      }
      String type = TYPES_OF_PREFIX.get(module.substring(0, module.indexOf('.') + 1));
      if (type != null && !AMBIGUOUS.matcher(module).matches()) {
        return ofType(type);
      }
    }
    return Optional.empty();
  }

  /**
   * Returns the names of bare models that models of several types with a head have under different
   * prefixes.
   *
   * @param modules names in a checkpoint
   * @return those whose prefix depends on the model type
   */
  static List<String> ambiguous(Collection<String> modules) {
    List<String> ambiguous = new ArrayList<>();
    for (String module : modules) {
      if (AMBIGUOUS.matcher(module).matches()
          && BARE_NAMES.keySet().stream().noneMatch(bare -> bare.matcher(module).matches())) {
        ambiguous.add(module);
      }
    }
    return ambiguous;
  }

  /**
   * Returns all prefixes, each with a dot at the end.
   *
   * @return the prefixes
   */
  static Set<String> prefixes() {
    return TYPES_OF_PREFIX.keySet();
  }
}
