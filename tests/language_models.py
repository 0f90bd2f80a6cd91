"""Small random language models in the layout of transformers, each with a tokenizer learnt on a few lines."""

from pathlib import Path

LINES = [
    "the river falls into the sea, and the ships follow it.", "a king forgets the old law in winter.",
    "one bird remembers the long field and crosses an empty bridge in the small town.",
]  # fmt: skip
LLAMA_LIKE = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 64,
}  # fmt: skip
SIZES = {
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "llama": {**LLAMA_LIKE, "tie_word_embeddings": False},
    "qwen2": {**LLAMA_LIKE, "tie_word_embeddings": True},
}
END = "<end>"


def save_language_model(kind: str, folder: Path) -> Path:
    """One of transformers' kinds, in `SIZES`."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    from nextvec.decoding.inverter.vocabulary import learn_tokenizer

    tokenizer = learn_tokenizer(LINES, 320)
    tokenizer.add_special_tokens([END])
    end = tokenizer.token_to_id(END)
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, vocab_size=end + 1, bos_token_id=end, eos_token_id=end, **SIZES[kind])
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END).save_pretrained(folder)
    return folder
