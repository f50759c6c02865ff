"""Pictures as the model remembers them: computed once, kept on disk, shared by processes."""

from samgis_process.blobs import BlobStore
from samgis_process.embeddings.cache import CacheState, Embedding, EmbeddingCache
from samgis_process.embeddings.keys import embedding_key, prompts_key
from samgis_process.embeddings.replay import Replayed, Replayer

__all__ = [
    "BlobStore",
    "CacheState",
    "Embedding",
    "EmbeddingCache",
    "Replayed",
    "Replayer",
    "embedding_key",
    "prompts_key",
]
