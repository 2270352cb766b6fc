import torch

from napari_synth.nets.dvae import DVAE
from tests.nets.test_pix2pix import randomised
from tests.reference.plain_dvae import plain_decode, plain_encode


def test_published_parameter_count():
    assert sum(p.numel() for p in DVAE(10).parameters()) == 864_020


def test_encoder_and_decoder_equal_the_plain_ones():
    network = randomised(DVAE(10))
    for name, tensor in network.state_dict().items():
        if name.endswith("weight") and tensor.ndim > 1:
            tensor.mul_(0.3)  # keep the sigmoid away from its ends
    x = (torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    z = torch.randn(3, 10, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        mean, log_variance = network.encode(x)
        decoded = network.decode(z)
    expected_mean, expected_log_variance = plain_encode(x, network.state_dict())
    expected = plain_decode(z, network.state_dict())
    torch.testing.assert_close(mean, expected_mean, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(log_variance, expected_log_variance, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(decoded, expected, atol=1e-5, rtol=1e-4)
    assert 0 <= decoded.min() < decoded.max() <= 1


def test_without_noise_the_code_is_the_mean():
    network = DVAE(4).eval()
    x = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        logits, mean, _ = network(x)
        assert torch.equal(logits, network.decode_logits(mean))
        noisy, _, _ = network(x, torch.Generator().manual_seed(1))
    assert not torch.equal(noisy, logits)
